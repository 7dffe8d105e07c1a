"""The classifier as an estimator of scikit-learn: texts and labels in memory, no files, no Make."""
