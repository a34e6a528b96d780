// The page is made elsewhere.
