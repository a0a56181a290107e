portal
serve ready countersign run
REFERENCE=$(visit | sed -n 's/.*"reference":"\([^"]*\)".*/\1/p')
soon countersign log show "$REFERENCE"
