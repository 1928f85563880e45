// Why OHIF 3.13 cannot show a structure set: it matches contours to images by the instances that the set names, and draws
// nothing, silently, where it finds none (docs/ohif.md).

/**
 * @param display OHIF's display set of the RTSTRUCT
 * @param {string[]} seriesUids Series Instance UIDs of the study
 * @param displaySets all display sets of the study
 * @returns {string | null} a key of notice.js' texts; null when nothing speaks against showing it
 */
export function reasonFor(display, seriesUids, displaySets) {
  const { instance } = display;
  const contours = list(instance.ROIContourSequence).some(roi => list(roi.ContourSequence).length > 0);
  if (!list(instance.StructureSetROISequence).length || !contours) return 'empty';

  const referenced = list(instance.ReferencedFrameOfReferenceSequence)
    .flatMap(frame => list(frame.RTReferencedStudySequence))
    .flatMap(study => list(study.RTReferencedSeriesSequence));
  if (!referenced.length) return 'unreferenced';
  const present = referenced.filter(series => seriesUids.includes(series.SeriesInstanceUID));
  if (!present.length) return 'absent';

  const named = new Set(
    present.flatMap(series => list(series.ContourImageSequence)).map(image => image.ReferencedSOPInstanceUID)
  );
  const whole = displaySets
    .filter(set => present.some(series => series.SeriesInstanceUID === set.SeriesInstanceUID))
    .some(set => list(set.instances).some(image => named.has(image.SOPInstanceUID)));
  return whole ? null : 'stale';
}

/** A sequence as an array: OHIF hands over a single item bare. */
function list(sequence) {
  if (sequence === undefined || sequence === null) return [];
  return Array.isArray(sequence) ? sequence : [sequence];
}
