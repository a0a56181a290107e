portal
serve ready countersign run
countersign party add alice --site portal.test --label laptop
countersign party add bob --site portal.test --label phone
for party in kiosk-1 kiosk-2; do countersign party add "$party" --site portal.test --profile device; done
