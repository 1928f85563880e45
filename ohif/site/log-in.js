// Gives the log-in that the dashboard lent this tab (receive-log-in.js) to every request for Orthanc. Runs before the
// viewer. Without one the browser asks by itself.
(() => {
  const KEY = 'pacs.authorization';
  const authorization = sessionStorage.getItem(KEY);
  if (!authorization) return;

  const isForOrthanc = url => {
    const address = new URL(url, location.href);
    return address.origin === location.origin && /^\/(dicom-web\/|wado$|api\/)/.test(address.pathname);
  };

  // No longer valid: without it the browser's own prompt comes up.
  const check = status => {
    if (status !== 401 || sessionStorage.getItem(KEY) !== authorization) return;
    sessionStorage.removeItem(KEY);
    location.reload();
  };

  // X-Requested-With keeps the door from challenging: the prompt would come up over a page that is about to reload.
  const headers = { Authorization: authorization, 'X-Requested-With': 'XMLHttpRequest' };

  const plainFetch = window.fetch;
  window.fetch = async (input, init) => {
    const request = new Request(input, init);
    if (!isForOrthanc(request.url)) return plainFetch(input, init);
    for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    const response = await plainFetch(request);
    check(response.status);
    return response;
  };

  const { open, send } = XMLHttpRequest.prototype;
  const lent = new WeakSet();
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    open.call(this, method, url, ...(rest.length ? rest : [true]));
    if (isForOrthanc(url)) lent.add(this);
    else lent.delete(this);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (lent.has(this)) {
      for (const [name, value] of Object.entries(headers)) this.setRequestHeader(name, value);
      this.addEventListener('load', () => check(this.status));
    }
    send.call(this, body);
  };
})();
