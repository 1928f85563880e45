import type { Finding } from '../api/models';

/** Findings of one kind: what there is to do is said once. */
export interface FindingGroup {
  readonly severity: Finding['severity'];
  readonly remedy: string;
  readonly messages: readonly string[];
}

/** Findings of one code, in the order of the report, which begins with the worst. */
export function groupsOf(findings: readonly Finding[]): FindingGroup[] {
  const groups = new Map<string, { severity: Finding['severity']; remedy: string; messages: string[] }>();
  for (const { code, severity, remedy, message } of findings) {
    const key = `${code} ${severity} ${remedy}`;
    const group = groups.get(key);
    if (group) group.messages.push(message);
    else groups.set(key, { severity, remedy, messages: [message] });
  }
  return [...groups.values()];
}
