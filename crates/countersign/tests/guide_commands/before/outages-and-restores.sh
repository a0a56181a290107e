portal
countersign party add alice --site portal.test
serve ready countersign run
