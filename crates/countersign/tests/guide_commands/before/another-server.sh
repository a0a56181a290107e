portal
countersign party add alice --site portal.test --pem --out .
