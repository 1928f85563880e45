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
    repair: 'Make a repaired copy',
    repairing: 'Repairing …',
    repaired: 'Show the repaired copy',
    refused: 'Your account may not change the archive: ask an administrator.',
    failed: 'The copy could not be made',
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
    repair: 'Créer une copie réparée',
    repairing: 'Réparation …',
    repaired: 'Afficher la copie réparée',
    refused: 'Votre compte ne peut pas modifier l’archive : adressez-vous à un administrateur.',
    failed: 'La copie n’a pas pu être créée',
    close: 'Fermer',
  },
};
const REPAIRABLE = new Set(['stale', 'absent', 'unreferenced']);

const language = navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
const text = TEXTS[language];
let box = null;

export function hideNotice() {
  box?.remove();
  box = null;
}

/** @param {{reason: string, study?: string, sopInstanceUid?: string}} why */
export function showNotice({ reason, study, sopInstanceUid }) {
  hideNotice();
  box = element('section', { id: 'pacs-notice', role: 'alert', lang: language });
  box.dataset.reason = reason;
  const message = element('p', {}, text[reason]);
  const buttons = element('div', {});
  if (REPAIRABLE.has(reason) && sopInstanceUid) buttons.append(repairButton(study, sopInstanceUid, message));
  const close = element('button', { type: 'button' }, text.close);
  close.addEventListener('click', hideNotice);
  buttons.append(close);
  box.append(styles(), element('h2', {}, text.title), message, buttons);
  document.body.append(box);
}

function repairButton(study, sopInstanceUid, message) {
  const button = element('button', { type: 'button', class: 'first' }, text.repair);
  button.addEventListener('click', async () => {
    button.disabled = true;
    button.textContent = text.repairing;
    const answer = await fetch(`/api/extract-rt/${sopInstanceUid}/repair`, { method: 'POST' });
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
    #pacs-notice p { margin: 0 0 .8rem; }
    #pacs-notice div { display: flex; gap: .6rem; justify-content: flex-end; }
    #pacs-notice button, #pacs-notice a { padding: .4rem .9rem; border: 1px solid #5acce6; border-radius: .3rem; background: none;
      color: #fff; font: inherit; text-decoration: none; cursor: pointer; }
    #pacs-notice .first { background: #5acce6; color: #041c4a; font-weight: 600; }
    #pacs-notice :focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
  `);
}
