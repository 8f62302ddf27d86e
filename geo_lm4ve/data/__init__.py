"""What every data source shares: splits, random numbers by named keys, loaders."""
