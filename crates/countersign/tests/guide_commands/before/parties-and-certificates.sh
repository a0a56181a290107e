portal
serve ready countersign run
