portal
countersign party add alice --site portal.test --out .
serve ready countersign run
