"""The file that MLflow runs to load a classifier.

The package lies beside it in the MLflow model, as `convtext`. In a checkout, where it is called `pipeline`, a
process that has loaded it keeps to it: under two names it would have two of every class.
"""

import sys

from mlflow.models import set_model

if "pipeline.prediction" in sys.modules:
    from pipeline.tracking.served_model import ServedModel
else:
    from convtext.tracking.served_model import ServedModel  # type: ignore[no-redef]

set_model(ServedModel())
