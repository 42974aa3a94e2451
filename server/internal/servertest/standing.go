package servertest

// Standing is a deployment's database as it stood once.
type Standing struct{ d *Deployment }

// standingTables are what a set-back is about. What is made anew from the records goes on from where it is.
var standingTables = []string{"deployments", "log", "replicas", "records", "totals", "tokens", "devices", "enrolment_codes", "postings", "decisions", "departures", "journal", "erasures"}

// NewStanding keeps the database as it stands. Servers go on.
func NewStanding(d *Deployment) *Standing {
	d.T.Helper()
	var statements []string
	for _, table := range standingTables {
		statements = append(statements, `CREATE TABLE standing_`+table+` AS SELECT * FROM `+table)
	}
	d.Exec(statements...)
	return &Standing{d}
}

// Promote puts it in the place of the database beneath all servers, as when a standby takes over that had no more.
func (s *Standing) Promote() {
	s.d.T.Helper()
	var statements []string
	for _, table := range standingTables {
		statements = append(statements, `DELETE FROM `+table, `INSERT INTO `+table+` SELECT * FROM standing_`+table, `DROP TABLE standing_`+table)
	}
	s.d.Exec(statements...)
}
