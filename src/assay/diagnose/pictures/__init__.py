"""What the plots of a diagnosis show, measured once and kept with it."""
