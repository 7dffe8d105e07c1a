"""The file for spark-submit: `spark-submit convtext_label.py --model M --input I --output O`.

It runs from where it lies in the package, and, as Spark copies it to a driver on the cluster, with the
package that is installed there.
"""

import sys
from importlib import import_module
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    is_inside = (PACKAGE / "spark" / "job.py").is_file()
    # Beside this file lie modules, too: none of them is to be taken for one of a library.
    sys.path[0] = str(PACKAGE.parent if is_inside else Path())
    job = import_module(f"{PACKAGE.name if is_inside else 'convtext'}.spark.job")
    sys.exit(job.main(sys.argv[1:]))
