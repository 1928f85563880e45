// What OHIF 3.13 does again for every contour of a structure set without need: with 3,000 contours on 100 slices that took
// most of the time from the first pixels to the structures.

let spared = false;

/** Call once OHIF's services are there, before structures are shown. */
export function spareContours() {
  if (spared) return;
  spared = true;
  keepOutOfMeasurements(window.services.measurementService);
  askOncePerTask(window.cornerstone.metaData, 'imagePlaneModule');
}

/**
 * OHIF takes each contour for a measurement that it does not know, and looks for its label in every point: two seconds for
 * 3,000 contours, and as many rows in the list of measurements.
 */
function keepOutOfMeasurements(measurementService) {
  const add = measurementService.addUnmappedMeasurement;
  measurementService.addUnmappedMeasurement = function (detail, source) {
    if (!detail.annotation?.data?.segmentation) add.call(this, detail, source);
  };
}

/**
 * The image nearest to a contour is found by asking for the plane of every image of the series. All contours are made in one
 * task, so an answer is kept until that ends, and no longer: a calibration may change it.
 */
function askOncePerTask(metaData, module) {
  const answers = new Map();
  let asking = false;
  const provider = (type, image) => {
    if (type !== module || asking) return undefined;
    if (!answers.has(image)) {
      if (!answers.size) queueMicrotask(() => answers.clear());
      asking = true;
      try {
        answers.set(image, metaData.get(type, image));
      } finally {
        asking = false;
      }
    }
    return answers.get(image);
  };
  // Before all others, which answer it in turn.
  metaData.addProvider(provider, Number.MAX_SAFE_INTEGER);
}
