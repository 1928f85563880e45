// The page /pacs/log-in.html#ADDRESS: takes the log-in from the dashboard that opened it, keeps it for this tab, and goes on
// to ADDRESS in the viewer. The messages are described in docs/ohif.md.

const KEY = 'pacs.authorization';
const PATIENCE_MS = 3000;

// Only an address of this door: anything else begins at the list of studies.
const addressOfThisDoor = wanted => {
  try {
    const { origin, pathname, search, hash } = new URL(wanted, location.origin);
    return origin === location.origin ? pathname + search + hash : '/';
  } catch {
    return '/'; // No address at all.
  }
};
const target = addressOfThisDoor(location.hash.slice(1));

const goOn = () => {
  window.opener = null;
  location.replace(target);
};

// A port of this host, or a whole origin.
const originOf = door => new URL(/^\d+$/.test(door) ? `${location.protocol}//${location.hostname}:${door}` : door).origin;

const dashboard = await fetch('/doors.json')
  .then(answer => answer.json())
  .then(doors => originOf(doors.dashboard))
  .catch(() => null);

if (window.opener && dashboard) {
  const opener = window.opener;
  window.addEventListener('message', ({ origin, source, data }) => {
    if (origin !== dashboard || source !== opener || data?.type !== 'pacs-log-in') return;
    if (typeof data.authorization !== 'string' || !/^Basic [A-Za-z0-9+/]+={0,2}$/.test(data.authorization)) return;
    sessionStorage.setItem(KEY, data.authorization);
    goOn();
  });
  opener.postMessage({ type: 'pacs-log-in-wanted' }, dashboard);
  // No answer: the browser will ask.
  setTimeout(goOn, PATIENCE_MS);
} else {
  goOn();
}
