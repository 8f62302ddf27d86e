"""What every data source shares: splits, and random numbers by named keys."""
