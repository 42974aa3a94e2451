package postgres

import "levee/server/internal/store"

// standbys are those that stream. A backup that is being made streams too, and may never be whole; a logical subscriber has some tables.
var standbys = store.Standbys{
	Seen: `SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')`, // as pg_monitor has it
	End:  `SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), pg_current_wal_insert_lsn()::text`,
	Has: `SELECT EXISTS (SELECT FROM pg_stat_replication r WHERE r.state = 'streaming' AND r.flush_lsn >= $1::text::pg_lsn AND r.application_name <> 'pg_basebackup'
		AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))`,
}
