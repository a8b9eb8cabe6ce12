"""Images and labels: data sets by name or folder, one data set a file, and importers of official archives."""
