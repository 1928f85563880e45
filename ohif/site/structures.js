// Opening a study shows its structures without a click, and where OHIF would show nothing, says why.
// Runs beside OHIF 3.13, which puts its services on `window`; touches nothing else of it but what contours.js says.

import { spareContours } from '/pacs/contours.js';
import { reasonFor } from '/pacs/reasons.js';
import { hideNotice, qualityOf, showNotice } from '/pacs/notice.js';

const LOOK_EVERY_MS = 100;
const SETTLING_MS = 300;
/** After this a series that has not come is taken for one that OHIF cannot show. */
const PATIENCE_MS = 60_000;
/** How much later than the images the structure sets may come. */
const LAYERS_MS = 5000;
/** Between the structures being loaded and their first contour on the screen. */
const DRAWING_MS = 15_000;
/** The modes whose viewports take structures as a layer. */
const MODES = /^\/(viewer|segmentation)\/?$/;
/** What is drawn on images and is no image itself (PS3.3, C.7.3.1.1.1). */
const NOT_IMAGES = new Set(['RTSTRUCT', 'RTPLAN', 'RTDOSE', 'RTRECORD', 'RTIMAGE', 'SEG', 'REG', 'SR', 'PR', 'KO', 'DOC']);

let shown = '';

async function watch() {
  for (;;) {
    const study = MODES.test(location.pathname) ? new URLSearchParams(location.search).get('StudyInstanceUIDs') : null;
    const visit = study ? `${location.pathname}${location.search}` : '';
    if (visit !== shown) {
      shown = visit;
      hideNotice();
      if (visit) {
        openStudy(study.split(',')[0], () => shown === visit).catch(error => console.warn('Structures:', error));
      }
    }
    await pause();
  }
}

/**
 * @param {string} study Study Instance UID
 * @param {() => boolean} stillHere false once the person has gone elsewhere
 */
async function openStudy(study, stillHere) {
  const series = await seriesOf(study);
  if (!stillHere()) return;
  if (series === null) return; // The log-in was refused, or Orthanc does not answer: OHIF says so itself.
  if (!series.length) return showNotice({ reason: 'unknownStudy' });
  const images = series.filter(one => !NOT_IMAGES.has(one.modality));
  const structureSets = series.filter(one => one.modality === 'RTSTRUCT');
  if (!images.length) {
    const lone = structureSets[0] ?? series[0];
    const reason = structureSets.length ? 'alone' : 'noImages';
    return showNotice({ reason, study, sopInstanceUid: structureSets.length ? await firstInstance(study, lone.uid) : undefined });
  }
  const layers = [...structureSets, ...series.filter(one => one.modality === 'SEG')];
  if (!layers.length) return;

  const ready = await until(() => viewportIsSettled() && allLoaded(images, layers), PATIENCE_MS, stillHere);
  if (!ready && !viewportIsSettled()) return; // OHIF says itself what went wrong.
  const seriesUids = series.map(one => one.uid);
  const display = chosen(layers, seriesUids);
  if (!display) {
    const sopInstanceUid = await firstInstance(study, layers[0].uid);
    if (stillHere()) showNotice({ reason: 'unreferenced', study, sopInstanceUid });
    return;
  }
  const reason = reasonAgainst(display, seriesUids);
  const done = reason === null && (await showLayer(display, stillHere));
  if (!stillHere()) return;
  if (display.Modality !== 'RTSTRUCT') return done ? undefined : showNotice({ reason: 'segmentation' });
  const why = { reason: reason ?? 'silent', study, sopInstanceUid: display.SOPInstanceUID };
  if (!done) return showNotice(why);
  const report = await qualityOf(display.SOPInstanceUID);
  // What it shows may still not be what the structure set says.
  if (stillHere() && report?.ohif_reasons.length) showNotice({ ...why, reason: 'wrong' }, report);
}

/** True once a part of the layer can be seen. */
async function showLayer(display, stillHere) {
  const { viewportGridService, segmentationService } = window.services;
  const viewportId = viewportGridService.getActiveViewportId();
  const image = display.referencedDisplaySetInstanceUID;
  if (image && !viewportGridService.getDisplaySetsUIDsForViewport(viewportId).includes(image)) {
    window.commandsManager.run('setDisplaySetsForViewports', {
      viewportsToUpdate: [{ viewportId, displaySetInstanceUIDs: [image] }],
    });
    await until(() => viewportGridService.getDisplaySetsUIDsForViewport(viewportId).includes(image), DRAWING_MS, stillHere);
    await pause();
  }
  // Before the viewport has drawn, OHIF would answer that it "has been destroyed".
  if (!(await until(viewportIsSettled, PATIENCE_MS, stillHere))) return false;
  const segmentationId = display.displaySetInstanceUID;
  spareContours();
  window.commandsManager.run('addDisplaySetAsLayer', { viewportId, displaySetInstanceUID: segmentationId });

  const represented = () => segmentationService.getSegmentationRepresentations(viewportId, { segmentationId })?.length > 0;
  if (!(await until(() => represented() && viewportIsSettled(), PATIENCE_MS, stillHere))) return false;
  const segments = Object.values(segmentationService.getSegmentation(segmentationId).segments);
  const first = segments.find(segment => segment.cachedStats?.center) ?? segments[0];
  if (!first) return false;
  segmentationService.jumpToSegmentCenter(segmentationId, first.segmentIndex, viewportId, 0.9, false);
  // Voxels are painted into the image: nothing to look for.
  if (display.Modality === 'SEG') return true;
  const drawn = () => document.querySelector('.svg-layer path') !== null;
  if (await until(drawn, DRAWING_MS / 5, stillHere)) return true;
  // The centre of a structure may lie between its parts: then its next slice with a contour.
  for (const segment of segments) {
    segmentationService.jumpToSegmentNext(segmentationId, segment.segmentIndex, viewportId, 1, 0.9, false);
    await pause();
    if (drawn()) return true;
  }
  return until(drawn, DRAWING_MS, stillHere);
}

/** The layer asked for by `&structures=UID`, else one that can be shown, on the present image if possible, else the first. */
function chosen(layers, seriesUids) {
  const asked = new URLSearchParams(location.search).get('structures');
  const { viewportGridService } = window.services;
  const present = viewportGridService.getDisplaySetsUIDsForViewport(viewportGridService.getActiveViewportId()) ?? [];
  const uids = layers.map(one => one.uid);
  const candidates = displaySets()
    .filter(set => uids.includes(set.SeriesInstanceUID))
    .sort((a, b) => uids.indexOf(a.SeriesInstanceUID) - uids.indexOf(b.SeriesInstanceUID));
  const showable = candidates.filter(set => reasonAgainst(set, seriesUids) === null);
  return (
    candidates.find(set => asked && [set.SOPInstanceUID, set.SeriesInstanceUID].includes(asked)) ??
    showable.find(set => present.includes(set.referencedDisplaySetInstanceUID)) ??
    showable[0] ??
    candidates[0]
  );
}

const reasonAgainst = (set, seriesUids) =>
  set.Modality === 'RTSTRUCT' ? reasonFor(set, seriesUids, displaySets()) : null;

const displaySets = () => window.services.displaySetService.getActiveDisplaySets();

let imagesSince = null;

/** True when nothing more is to be waited for: a structure set that names no images never becomes a display set. */
function allLoaded(images, layers) {
  const loaded = new Set(displaySets().map(set => set.SeriesInstanceUID));
  if (!images.every(one => loaded.has(one.uid))) {
    imagesSince = null;
    return false;
  }
  imagesSince ??= performance.now();
  return layers.every(one => loaded.has(one.uid)) || performance.now() - imagesSince > LAYERS_MS;
}

let settling = { viewport: null, since: 0 };

/**
 * True once the active viewport has drawn and is the same for a moment. OHIF makes a new one when layers come and go, and what
 * is asked of the old one ends in "the stack viewport has been destroyed".
 */
function viewportIsSettled() {
  const { viewportGridService, cornerstoneViewportService } = window.services ?? {};
  let viewport = null;
  try {
    viewport = cornerstoneViewportService.getCornerstoneViewport(viewportGridService.getActiveViewportId());
  } catch {
    // OHIF's services are there before what they call.
  }
  if (viewport?.viewportStatus !== 'rendered') viewport = null;
  if (viewport !== settling.viewport) settling = { viewport, since: performance.now() };
  return viewport !== null && performance.now() - settling.since >= SETTLING_MS;
}

/** Series Instance UIDs and modalities by QIDO-RS, or null when the answer is a refusal. */
async function seriesOf(study) {
  const answer = await fetch(`/dicom-web/studies/${encodeURIComponent(study)}/series`, {
    headers: { Accept: 'application/dicom+json' },
  });
  if (!answer.ok) return null;
  const found = answer.status === 204 ? [] : await answer.json();
  return found.map(item => ({ uid: item['0020000E'].Value[0], modality: item['00080060']?.Value?.[0] ?? '' }));
}

async function firstInstance(study, series) {
  const answer = await fetch(`/dicom-web/studies/${study}/series/${series}/instances?limit=1`, {
    headers: { Accept: 'application/dicom+json' },
  });
  return answer.ok ? (await answer.json())[0]?.['00080018']?.Value?.[0] : undefined;
}

const pause = () => new Promise(resolve => setTimeout(resolve, LOOK_EVERY_MS));

/** Whether `condition` came true in time. */
async function until(condition, patienceMs, stillHere) {
  const end = performance.now() + patienceMs;
  while (stillHere() && performance.now() < end) {
    if (condition()) return true;
    await pause();
  }
  return false;
}

watch();
