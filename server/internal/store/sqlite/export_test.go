package sqlite

// What becomes of each table when a deployment is extracted.
var (
	Extracted  = extracted
	LeftBehind = append(leftBehind, byDay...)
)
