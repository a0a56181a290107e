portal
countersign party add alice --site portal.test --pem --out .
countersign ca issue --san dns:localhost --out .
