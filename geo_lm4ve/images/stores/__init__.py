"""Where image files lie: a folder, an archive that is read in place, or several; the same questions to all of them."""
