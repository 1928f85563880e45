// The runbooks as pages of this site, made when it is built: they open without a log-in and while Orthanc is down.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { marked, type Tokens } from 'marked';

const STYLE =
  ':root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}body{max-width:46rem;margin:2rem auto;padding:0 1rem}' +
  'code{padding:.1em .3em;border-radius:4px;background:color-mix(in srgb,currentColor 10%,transparent)}' +
  'li{margin:.4em 0}a{color:light-dark(#1864ab,#74c0fc)}';

const isHeading = (token: { type: string }): token is Tokens.Heading => token.type === 'heading';

/** One page: Markdown in, HTML out; links between the pages lead to their HTML. */
function page(markdown: string): { title: string; html: string } {
  const tokens = marked.lexer(markdown);
  const title = tokens.find(isHeading)?.text ?? 'Runbook';
  marked.walkTokens(tokens, (token) => {
    if (token.type === 'link') token.href = token.href.replace(/^([\w-]+)\.md$/, '$1.html');
  });
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title><style>${STYLE}</style></head>
<body><nav><a href="/">PACS</a> · <a href="./">Runbooks</a></nav><main>
${marked.parser(tokens)}</main></body></html>
`;
  return { title, html };
}

/** File name → HTML. Each page stands under its own name and under that of every alert in its heading. */
export function runbookPages(folder: string): Record<string, string> {
  const pages: Record<string, string> = {};
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
    const { title, html } = page(readFileSync(join(folder, file), 'utf8'));
    const names = file === 'README.md' ? ['index'] : [file.slice(0, -3), ...title.split(', ')];
    for (const name of names) pages[`${name}.html`] = html;
  }
  return pages;
}
