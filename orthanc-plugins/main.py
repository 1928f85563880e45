"""What Orthanc loads: reads the settings, wires the plugins, starts and stops them. Nothing else."""

import site
import sys
from pathlib import Path

# Orthanc embeds the system's interpreter: the locked packages are appended behind its standard library, never before
# it, so that no backport found there can shadow a module of the standard library.
site.addsitedir(f"/opt/pacs/venv/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages")
sys.path.append(str(Path(__file__).parent))

import catalogue
import cohort
import comparison
import computing
import crosswalk
import dose
import explorer
import extraction
import forwarding
import intensities
import masks
import meshes
import metrics
import quality
import report
import status
import upload
import volumes
import writing
from host import log
from host.server import Server
from host.settings import Settings

PLUGINS = (
    status,
    upload,
    explorer,
    extraction,
    catalogue,
    metrics,
    computing,
    dose,
    quality,
    report,
    masks,
    intensities,
    meshes,
    comparison,
    cohort,
    writing,
    volumes,
    forwarding,
    crosswalk,
)

log.to_orthanc()
# An exception here stops Orthanc: a PACS without its plugins would look healthy and extract nothing.
SERVER = Server(Settings.from_environment(), [plugin.create for plugin in PLUGINS])
SERVER.register()
