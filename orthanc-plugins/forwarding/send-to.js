// On the page of a study: where it has gone, and a button per destination. Orthanc Explorer is jQuery Mobile 1.1.
const french = navigator.language.toLowerCase().startsWith('fr');
const texts = french
  ? {
      title: 'Envois',
      send: 'Envoyer vers',
      again: 'Envoyer à nouveau vers',
      states: {
        waiting: 'en attente',
        sending: 'envoi en cours',
        verifying: 'vérification',
        delivered: 'livré',
        failed: 'échec',
        cancelled: 'annulé',
      },
    }
  : {
      title: 'Deliveries',
      send: 'Send to',
      again: 'Send again to',
      states: {
        waiting: 'waiting',
        sending: 'being sent',
        verifying: 'being verified',
        delivered: 'delivered',
        failed: 'failed',
        cancelled: 'cancelled',
      },
    };
const OPEN = ['waiting', 'sending', 'verifying'];
const REFRESH_MS = 2000;
let timer;

const ask = path => $.ajax({ url: `../api/${path}`, dataType: 'json', cache: false }).then(answer => answer);

/** One delivery in one line: its state, how far it is, since when, and why. */
function line(delivery) {
  const far = `${delivery.instances_sent}/${delivery.instances_total}`;
  const when = new Date(delivery.delivered_at ?? delivery.created_at).toLocaleString();
  const why = delivery.reason ? ` – ${delivery.reason}` : '';
  return `${delivery.destination}: ${texts.states[delivery.state]}, ${far}, ${when}${why}`;
}

/** Why it was not sent: the API's problem details, or of a refusal by Orthanc itself the status alone. */
function reason(answer) {
  try {
    const { detail, remedy } = JSON.parse(answer.responseText);
    return `${detail}\n${remedy}`;
  } catch {
    return `HTTP ${answer.status}`;
  }
}

function button(study, destination, latest) {
  const label = `${latest?.state === 'delivered' ? texts.again : texts.send} ${destination.name}`;
  const send = $('<a>', { href: '#', class: 'pacs-send' }).text(label);
  send.click(() => {
    const body = JSON.stringify({ study, destination: destination.name });
    $.ajax({ url: '../api/deliveries', type: 'POST', contentType: 'application/json', data: body }).then(
      () => show(study),
      answer => alert(reason(answer))
    );
    return false;
  });
  return send.buttonMarkup({ icon: 'forward', theme: 'e' });
}

async function show(study) {
  clearTimeout(timer);
  const [destinations, deliveries] = await Promise.all([ask('destinations'), ask(`deliveries?study=${study}&limit=20`)]);
  if ($.mobile.pageData?.uuid !== study) return;
  const latest = name => deliveries.items.find(delivery => delivery.destination === name);
  const lines = deliveries.items.map(delivery => $('<li>', { 'data-state': delivery.state }).text(line(delivery)));
  const buttons = destinations.items
    .filter(({ name }) => !OPEN.includes(latest(name)?.state))
    .map(destination => button(study, destination, latest(destination.name)));
  $('.pacs-deliveries').remove();
  $('<div class="pacs-deliveries">')
    .append(...(lines.length ? [$('<h3>').text(texts.title), $('<ul>').append(...lines)] : []), ...buttons)
    .insertAfter('#study-info');
  if (deliveries.items.some(({ state }) => OPEN.includes(state))) timer = setTimeout(() => show(study), REFRESH_MS);
}

$('#study').live('pagebeforeshow', () => {
  $('.pacs-deliveries').remove();
  if ($.mobile.pageData?.uuid) show($.mobile.pageData.uuid);
});
$('#study').live('pagehide', () => clearTimeout(timer));
