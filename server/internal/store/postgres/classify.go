package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"levee/server/internal/store"
	"levee/syncproto/problem"
)

// classify tells what people can do something about: a disk that is full, a database that is busy, away or damaged. It is asked again
// by what came later: a commit whose answer was lost is sent again like any other.
func classify(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var p *problem.Problem
	if errors.As(err, &p) {
		return err
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if away(err) {
			return &problem.Problem{Code: problem.Busy, Detail: err.Error()}
		}
		return err
	}
	switch {
	case e.Code == "53100": // disk_full
		return &problem.Problem{Code: problem.StorageFull, Detail: e.Error()}
	case e.Code == "XX001", e.Code == "XX002": // data_corrupted, index_corrupted
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	case busy[e.Code], strings.HasPrefix(e.Code, "08"): // connection_exception
		return &problem.Problem{Code: problem.Busy, Detail: e.Error()}
	default:
		return err
	}
}

// taken reports whether an error says that there is a row of the same key.
func taken(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505" // unique_violation
}

// busy are the codes of what may go well when it is tried again.
var busy = map[string]bool{
	"25006": true, // read_only_sql_transaction: a primary has become a standby
	"40001": true, // serialization_failure
	"40P01": true, // deadlock_detected
	"53000": true, // insufficient_resources
	"53200": true, // out_of_memory
	"53300": true, // too_many_connections
	"55P03": true, // lock_not_available
	"57014": true, // query_canceled, as by a statement_timeout
	"57P01": true, // admin_shutdown
	"57P02": true, // crash_shutdown
	"57P03": true, // cannot_connect_now
	"57P05": true, // idle_session_timeout
	"25P03": true, // idle_in_transaction_session_timeout
}

// away reports whether the database can't be reached.
func away(err error) bool {
	var connecting *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connecting) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed") || errors.Is(err, context.DeadlineExceeded)
}
