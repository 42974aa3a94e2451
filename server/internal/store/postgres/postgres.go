// Package postgres opens the server's store in a PostgreSQL database, which several servers may share.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"levee/migrations"
	"levee/server/internal/store"
)

// The connections of a server, unless the address says pool_max_conns: a third of them write.
const defaultConnections = 24

// Open opens a database, makes the tables in an empty one, and brings its schema up to date. A database of a newer program is
// refused with migrations.ErrNewer, and one of another program with store.ErrForeign; they are left as they are. Several servers may
// open it at once.
//
// The address is a URL as libpq takes it, with several hosts if there are some: the one that takes writes is used.
func Open(ctx context.Context, dsn string) (*store.DB, error) {
	config, connections, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if err := prepare(ctx, *config); err != nil {
		return nil, err
	}
	writers := max(2, connections/3)
	db := connect(*config, writers, max(2, connections-writers))
	if err := db.FillDays(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("filling the tables by day: %w", err), db.Close())
	}
	return db, nil
}

// OpenToRead opens a database that a server has made, and never writes to it. A standby is good enough.
func OpenToRead(ctx context.Context, dsn string) (*store.DB, error) {
	config, connections, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["default_transaction_read_only"] = "on"
	if err := look(ctx, *config); err != nil {
		return nil, err
	}
	db := connect(*config, 1, connections)
	full, err := db.DaysFilled(ctx)
	if err == nil && !full {
		err = fmt.Errorf("%w: the tables by day are not filled", migrations.ErrOlder)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Made reports whether a database has any tables.
func Made(ctx context.Context, dsn string) (made bool, err error) {
	config, _, err := parse(dsn)
	if err != nil {
		return false, err
	}
	db := stdlib.OpenDB(*config)
	whose, err := belongs(ctx, db)
	return whose != nobodys, errors.Join(classify(err), db.Close())
}

// InUse reports whether a server works on a database. One that has just ended may still be seen for a moment, and is waited for.
func InUse(ctx context.Context, dsn string) (used bool, err error) {
	config, _, err := parse(dsn)
	if err != nil {
		return false, err
	}
	config.RuntimeParams["application_name"] = "leveed, looking"
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(classify(err), db.Close()) }()
	for try := 0; ; try++ {
		// Of the sessions of other roles, the name is hidden from most.
		err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND coalesce(application_name, 'leveed') = 'leveed' AND coalesce(backend_type, 'client backend') = 'client backend')`).Scan(&used)
		if err != nil || !used || try == inUseTries {
			return used, err
		}
		select {
		case <-time.After(inUsePause):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}

const (
	inUseTries = 20
	inUsePause = 100 * time.Millisecond
)

// errAddress names none of what stands in an address: a password may.
var errAddress = errors.New("the address of the database is not understood: it is postgres://user:password@host:port/database")

func parse(dsn string) (config *pgx.ConnConfig, connections int, err error) {
	pool, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, 0, errAddress
	}
	connections = defaultConnections
	if strings.Contains(dsn, "pool_max_conns=") {
		connections = int(pool.MaxConns)
	}
	for name, value := range map[string]string{
		"application_name": "leveed",
		"lock_timeout":     "10s", // who waits for a row is told that the server is busy, and comes again
		// Deployments differ in size, and new ones grow: each statement is planned for the one that it is about, as it is by then.
		"plan_cache_mode": "force_custom_plan",
		// A server that stopped in the middle gives back what it holds.
		"idle_in_transaction_session_timeout": "5min",
		// One whose machine is gone answers nothing: its rows are free after half a minute.
		"tcp_keepalives_idle":     "10",
		"tcp_keepalives_interval": "5",
		"tcp_keepalives_count":    "4",
	} {
		if _, ok := pool.ConnConfig.RuntimeParams[name]; !ok {
			pool.ConnConfig.RuntimeParams[name] = value
		}
	}
	if pool.ConnConfig.ConnectTimeout == 0 {
		pool.ConnConfig.ConnectTimeout = connectTimeout
	}
	pool.ConnConfig.DialFunc = dialer.DialContext
	return pool.ConnConfig, connections, nil
}

func connect(config pgx.ConnConfig, writers, readers int) *store.DB {
	// What holds a deployment's row does nothing but work on it.
	writing := config
	if writing.RuntimeParams = maps.Clone(config.RuntimeParams); writing.RuntimeParams["idle_in_transaction_session_timeout"] == "5min" {
		writing.RuntimeParams["idle_in_transaction_session_timeout"] = "1min"
	}
	pool := func(config pgx.ConnConfig, size int) *sql.DB {
		db := stdlib.OpenDB(config, stdlib.OptionAfterConnect(waitForDisk))
		db.SetMaxOpenConns(size)
		db.SetMaxIdleConns(size)
		db.SetConnMaxIdleTime(5 * time.Minute)
		return db
	}
	return store.New(pool(writing, writers), pool(config, readers+1), // one more, to ask whether the database answers
		store.Engine{Classify: classify, Taken: taken, Words: words, Writers: writers, Readers: readers,
			Reads: sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}, Locks: true, ValidText: true, Purge: purge,
			// Whoever writes locks the row of a deployment. The first one waits while the other database of a move is looked through.
			Alone:    []string{`SET LOCAL idle_in_transaction_session_timeout = 0`, `LOCK TABLE deployments IN EXCLUSIVE MODE`},
			Standbys: standbys,
			Telling:  store.Telling{Tell: `SELECT pg_notify('` + channel + `', $1)`, Listen: listener(config)}})
}

// waitForDisk has a commit wait until it is on the disk: what is acknowledged is there. What the operator says beyond that, as to
// wait for a standby, stays.
func waitForDisk(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// prepare brings the schema up to date, one server at a time.
func prepare(ctx context.Context, config pgx.ConnConfig) (err error) {
	config.RuntimeParams = withoutTimeouts(config.RuntimeParams)
	db := stdlib.OpenDB(config)
	defer func() { err = errors.Join(classify(err), db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }() // which gives the lock back
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, startLock); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer func() {
		_, uerr := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, startLock)
		err = errors.Join(err, uerr)
	}()
	whose, err := belongs(ctx, db)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if whose == foreign {
		return store.ErrForeign
	}
	return migrations.Up(ctx, db, migrations.Postgres)
}

// look refuses what no server of this version can read.
func look(ctx context.Context, config pgx.ConnConfig) (err error) {
	db := stdlib.OpenDB(config)
	defer func() { err = errors.Join(classify(err), db.Close()) }()
	whose, err := belongs(ctx, db)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if whose != servers {
		return store.ErrForeign
	}
	return migrations.Check(ctx, db, migrations.Postgres)
}

// withoutTimeouts is for what waits for other servers, or takes long once.
func withoutTimeouts(params map[string]string) map[string]string {
	without := map[string]string{}
	for name, value := range params {
		if name != "lock_timeout" && name != "idle_in_transaction_session_timeout" {
			without[name] = value
		}
	}
	return without
}

// startLock is that of servers that start on a database.
var startLock = func() int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("levee: start"))
	return int64(h.Sum64() >> 1)
}()

type owner int

const (
	nobodys owner = iota // no tables
	servers
	foreign
)

// errEncoding: texts of the world's people need it.
var errEncoding = errors.New("the database must be made with the encoding UTF8")

// belongs tells whose database it is by its tables, those of extensions aside.
func belongs(ctx context.Context, db *sql.DB) (owner, error) {
	var ours, all int
	var encoding string
	err := db.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE c.relname = 'deployments'), count(*), current_setting('server_encoding')
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname <> 'goose_db_version'
			AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`).Scan(&ours, &all, &encoding)
	switch {
	case err != nil:
		return nobodys, err
	case encoding != "UTF8":
		return nobodys, errEncoding
	case ours > 0:
		return servers, nil
	case all > 0:
		return foreign, nil
	default:
		return nobodys, nil
	}
}

// purge writes the tables anew that personal data was deleted from. Whoever uses one of them waits meanwhile. What is still seen in
// an older snapshot would be taken along.
func purge(ctx context.Context, db *sql.DB) error {
	var older bool
	err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xmin IS NOT NULL)
		OR EXISTS (SELECT 1 FROM pg_prepared_xacts WHERE database = current_database())`).Scan(&older)
	if err == nil && older {
		err = errReaders
	}
	if err != nil {
		return err
	}
	for _, table := range []string{"log", "records", "tokens", "meetings", "likenesses", "words"} {
		if _, err := db.ExecContext(ctx, `VACUUM (FULL) `+table); err != nil {
			return fmt.Errorf("writing %s anew: %w", table, err)
		}
	}
	return nil
}

// errReaders says that what was deleted is still seen by somebody.
var errReaders = errors.New("somebody reads the database as it was")
