package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"levee/syncproto/problem"
)

// However it shows that the database is gone, whoever asks is told to come again.
func TestALostConnectionIsBusy(t *testing.T) {
	for _, err := range []error{
		driver.ErrBadConn, // database/sql has tried others from its pool, and each was as bad
		sql.ErrConnDone,
		io.ErrUnexpectedEOF,
		&net.OpError{Op: "write", Err: errors.New("broken pipe")},
		&pgconn.ConnectError{},
		&pgconn.PgError{Code: "57P01"},
		context.DeadlineExceeded,
	} {
		if got := classify(fmt.Errorf("committing: %w", err)); problem.CodeOf(got) != problem.Busy {
			t.Errorf("%T: %v", err, got)
		}
	}
	for _, err := range []error{context.Canceled, sql.ErrNoRows, &pgconn.PgError{Code: "23505"}} {
		if got := classify(fmt.Errorf("reading: %w", err)); problem.CodeOf(got) == problem.Busy {
			t.Errorf("%T: %v", err, got)
		}
	}
}
