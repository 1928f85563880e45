// The box that says why a study shows no structures, in the reader's language, with what can be done about it.

const TEXTS = {
  en: {
    title: 'The structures cannot be shown',
    alone: 'This study holds a structure set alone: the images it was drawn on are not in this archive.',
    noImages: 'This study holds nothing that the viewer can show.',
    unknownStudy: 'There is no such study in this archive, or it has been deleted.',
    unreferenced: 'The structure set does not say which images it belongs to.',
    absent: 'The images that the structure set names are not in this study.',
    stale: 'The structure set names the right series, but instances that are not in it: the images were sent again under other identifiers after the contours were drawn.',
    empty: 'The structure set holds no contours.',
    silent: 'The viewer loaded the structure set and drew none of its contours.',
    segmentation: 'The viewer could not read the segmentation.',
    repair: 'Make a repaired copy',
    repairing: 'Repairing …',
    repaired: 'Show the repaired copy',
    refused: 'Your account may not change the archive: ask an administrator.',
    failed: 'The copy could not be made',
    wrongTitle: 'The viewer does not show the structures as they are',
    wrong: 'It cannot place some of them where they belong.',
    damaged: 'The structure set is damaged: the viewer gives up on all of it.',
    details: 'Details',
    list: 'List of studies',
    close: 'Close',
  },
  fr: {
    title: 'Les structures ne peuvent pas être affichées',
    alone: 'Cet examen ne contient qu’un jeu de structures : les images sur lesquelles il a été dessiné ne sont pas dans cette archive.',
    noImages: 'Cet examen ne contient rien que la visionneuse puisse afficher.',
    unknownStudy: 'Cet examen n’est pas dans cette archive, ou il a été supprimé.',
    unreferenced: 'Le jeu de structures n’indique pas à quelles images il appartient.',
    absent: 'Les images que désigne le jeu de structures ne sont pas dans cet examen.',
    stale: 'Le jeu de structures désigne la bonne série, mais des instances qui n’y sont pas : les images ont été renvoyées sous d’autres identifiants après le contourage.',
    empty: 'Le jeu de structures ne contient aucun contour.',
    silent: 'La visionneuse a chargé le jeu de structures sans dessiner aucun de ses contours.',
    segmentation: 'La visionneuse n’a pas pu lire la segmentation.',
    repair: 'Créer une copie réparée',
    repairing: 'Réparation …',
    repaired: 'Afficher la copie réparée',
    refused: 'Votre compte ne peut pas modifier l’archive : adressez-vous à un administrateur.',
    failed: 'La copie n’a pas pu être créée',
    wrongTitle: 'La visionneuse ne montre pas les structures telles qu’elles sont',
    wrong: 'Elle ne peut pas placer certaines d’entre elles là où elles se trouvent.',
    damaged: 'Le jeu de structures est endommagé : la visionneuse y renonce entièrement.',
    details: 'Détails',
    list: 'Liste des examens',
    close: 'Fermer',
  },
};
/** Which text says what a code of the quality report means (docs/rtstruct/quality.md). */
const REASON_OF_CODE = {
  no_referenced_series: 'unreferenced',
  referenced_series_without_images: 'unreferenced',
  referenced_series_absent: 'absent',
  referenced_series_is_no_image: 'absent',
  stale_referenced_series: 'absent',
  referenced_images_absent: 'stale',
  no_structure_set_roi_sequence: 'empty',
  no_structures: 'empty',
  no_contours_at_all: 'empty',
  contour_without_data: 'damaged',
};
const REPAIRABLE = new Set(['stale', 'absent', 'unreferenced', 'damaged', 'wrong']);
const WITHOUT_IMAGES = new Set(['alone', 'noImages', 'unknownStudy']);

const language = navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
const text = TEXTS[language];
let box = null;

export function hideNotice() {
  box?.remove();
  box = null;
}

/**
 * @param {{reason: string, study?: string, sopInstanceUid?: string}} why a key of TEXTS; and the structure set it is about
 * @param report its quality report, when that has said enough of it
 */
export function showNotice({ reason, study, sopInstanceUid }, report = null) {
  hideNotice();
  const mine = element('section', { id: 'pacs-notice', role: 'alert', lang: language, 'data-reason': reason });
  box = mine;
  const message = element('p', {}, text[reason]);
  const buttons = element('div', {});
  if (REPAIRABLE.has(reason) && sopInstanceUid) buttons.append(repairButton(study, sopInstanceUid, message));
  if (WITHOUT_IMAGES.has(reason)) buttons.append(element('a', { class: 'first', href: '/' }, text.list));
  const close = element('button', { type: 'button' }, text.close);
  close.addEventListener('click', hideNotice);
  buttons.append(close);
  mine.append(styles(), element('h2', {}, reason === 'wrong' ? text.wrongTitle : text.title), message, buttons);
  if (report) addDetails(message, report);
  document.body.append(mine);
  if (report || !sopInstanceUid || WITHOUT_IMAGES.has(reason)) return;
  qualityOf(sopInstanceUid).then(found => {
    if (!found || box !== mine) return;
    const better = reason === 'silent' && found.ohif_reasons.map(one => REASON_OF_CODE[one.code]).find(Boolean);
    if (better) showNotice({ reason: better, study, sopInstanceUid }, found);
    else addDetails(message, found);
  });
}

/** What the structure engine says of it, or null. */
export async function qualityOf(sopInstanceUid) {
  for (let attempt = 0; attempt < 30; attempt++) {
    const answer = await fetch(`/api/extract-rt/${sopInstanceUid}/quality`);
    if (answer.status !== 202) return answer.ok ? answer.json() : null;
    await new Promise(resolve => setTimeout(resolve, 1000)); // It is being computed.
  }
  return null;
}

function addDetails(message, report) {
  if (!report.ohif_reasons.length) return;
  const details = element('details', { lang: 'en' });
  const list = element('ul', {});
  list.append(...report.ohif_reasons.map(one => element('li', {}, one.message)));
  details.append(element('summary', { lang: language }, text.details), list);
  message.after(details);
}

function repairButton(study, sopInstanceUid, message) {
  const button = element('button', { type: 'button', class: 'first' }, text.repair);
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = text.repairing;
    const answer = await ended(await fetch(`/api/extract-rt/${sopInstanceUid}/repair`, { method: 'POST' }));
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      button.remove();
      message.textContent = answer.status === 403 ? text.refused : `${text.failed}: ${body.detail ?? answer.status}`;
      return;
    }
    const query = new URLSearchParams({ StudyInstanceUIDs: study });
    if (body.sop_instance_uid) query.set('structures', body.sop_instance_uid);
    const link = element('a', { class: 'first', href: `/viewer?${query}` }, text.repaired);
    button.replaceWith(link);
    link.focus();
  });
  return button;
}

/** The answer itself, where the first one (202) only says where to ask how far it is. */
async function ended(answer) {
  if (answer.status !== 202) return answer;
  const progress = answer.headers.get('Location');
  for (;;) {
    const { state, result } = await (await fetch(progress)).json();
    if (state !== 'running') return fetch(result);
    await new Promise(resolve => setTimeout(resolve, 1000));
  }
}

function element(name, attributes, content = '') {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = content;
  return made;
}

function styles() {
  return element('style', {}, `
    #pacs-notice { position: fixed; z-index: 1000; left: 50%; bottom: 2rem; transform: translateX(-50%); box-sizing: border-box;
      width: min(36rem, calc(100vw - 2rem)); padding: 1rem 1.25rem; border: 1px solid #5acce6; border-radius: .5rem;
      background: #041c4a; color: #fff; font: 15px/1.45 Inter, system-ui, sans-serif; box-shadow: 0 .5rem 2rem #000a; }
    #pacs-notice h2 { margin: 0 0 .35rem; font-size: 1rem; font-weight: 600; }
    #pacs-notice p, #pacs-notice details { margin: 0 0 .8rem; }
    #pacs-notice ul { max-height: 12rem; margin: .4rem 0; padding-left: 1.2rem; overflow: auto; overflow-wrap: anywhere; }
    #pacs-notice div { display: flex; gap: .6rem; justify-content: flex-end; }
    #pacs-notice button, #pacs-notice a { padding: .4rem .9rem; border: 1px solid #5acce6; border-radius: .3rem; background: none;
      color: #fff; font: inherit; text-decoration: none; cursor: pointer; }
    #pacs-notice .first { background: #5acce6; color: #041c4a; font-weight: 600; }
    #pacs-notice :focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
  `);
}
