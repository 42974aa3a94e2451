package report

// Few is which rows are not told of, for tests.
func Few(rows []Row) map[string]bool { return few(rows) }
