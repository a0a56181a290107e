portal
echo 'three green bottles' > carol.password
