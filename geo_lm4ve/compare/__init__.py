"""Many runs side by side: one table with means, intervals and checks."""
