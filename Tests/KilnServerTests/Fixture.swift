import KilnServer
