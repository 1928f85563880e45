// OHIF's settings, read by the browser at each start: an edit needs no rebuild, only a reload of the page.
// What each means: https://docs.ohif.org/configuration/configurationFiles
window.config = {
  name: 'pacs',
  routerBasename: null,
  showStudyList: true,
  extensions: [],
  modes: [],
  customizationService: [
    {
      // A tour would cover the first study that someone opens.
      'ohif.tours': { $set: [] },
      // structures.js says what is missing; without this a structure set without its images is a black page.
      missingReferenceDisplaySetHandler: { $set: () => ({ handled: true }) },
    },
  ],
  investigationalUseDialog: { option: 'never' },
  disableConfirmationPrompts: true,
  maxNumberOfWebWorkers: 3,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  groupEnabledModesFirst: true,
  showErrorDetails: 'always',
  maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 10 },
  defaultDataSourceName: 'orthanc',
  dataSources: [
    {
      namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
      sourceName: 'orthanc',
      configuration: {
        friendlyName: 'PACS',
        name: 'orthanc',
        // The door passes these on to Orthanc: same origin, as Orthanc does no CORS.
        qidoRoot: '/dicom-web',
        wadoRoot: '/dicom-web',
        wadoUriRoot: '/wado',
        qidoSupportsIncludeField: false,
        imageRendering: 'wadors',
        thumbnailRendering: 'wadors',
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: true,
        dicomUploadEnabled: true,
        singlepart: 'bulkdata,video',
        bulkDataURI: { enabled: true },
        // Orthanc does not take the quotation marks that the standard allows.
        omitQuotationForMultipartRequest: true,
      },
    },
  ],
};
