// Orthanc Explorer is jQuery Mobile 1.1: a page is filled anew each time it is shown, so buttons are put there each time.
// OHIF, defined before this, is a port of the host in the browser's address, or a whole origin.
const french = navigator.language.toLowerCase().startsWith('fr');
const open = french ? 'Ouvrir dans OHIF' : 'Open in OHIF';
const structures = french ? 'Voir les structures dans OHIF' : 'See structures in OHIF';
const origin = /^\d+$/.test(OHIF) ? `${location.protocol}//${location.hostname}:${OHIF}` : OHIF;

/** The address of a study in OHIF, with the structure set of this SOP Instance UID. */
function viewer(study, structureSet) {
  const query = new URLSearchParams({ StudyInstanceUIDs: study.MainDicomTags.StudyInstanceUID });
  if (structureSet) query.set('structures', structureSet);
  return `${origin}/viewer?${query}`;
}

/** @param {string} page id of Explorer's page @param {[string, string][]} links labels and addresses */
function show(page, links) {
  $(`#${page} .pacs-buttons`).remove();
  const buttons = links.map(([label, href]) =>
    $('<a>', { href, target: '_blank', rel: 'noopener' }).text(label).buttonMarkup({ icon: 'search', theme: 'e' })
  );
  $('<div class="pacs-buttons">').append(...buttons).insertAfter(`#${page}-info`);
}

const ask = path => $.ajax({ url: `../${path}`, dataType: 'json' }).then(answer => answer);
const isStructureSet = series => series.MainDicomTags.Modality === 'RTSTRUCT';

$('#study').live('pagebeforeshow', async () => {
  const id = $.mobile.pageData?.uuid;
  if (!id) return;
  const [study, series] = await Promise.all([ask(`studies/${id}`), ask(`studies/${id}/series`)]);
  // OHIF shows the structures by itself, of several sets the first that can be shown.
  show('study', [[series.some(isStructureSet) ? structures : open, viewer(study)]]);
});

$('#instance').live('pagebeforeshow', async () => {
  const id = $.mobile.pageData?.uuid;
  if (!id) return;
  const paths = [`instances/${id}/study`, `instances/${id}/series`, `instances/${id}`];
  const [study, series, instance] = await Promise.all(paths.map(ask));
  const link = isStructureSet(series) ? [structures, viewer(study, instance.MainDicomTags.SOPInstanceUID)] : [open, viewer(study)];
  show('instance', [link]);
});
