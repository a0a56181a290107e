portal
