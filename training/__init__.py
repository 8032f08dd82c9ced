"""From a labelled panel to a published pipeline: what the training Job runs."""
