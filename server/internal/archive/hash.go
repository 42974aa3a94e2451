package archive

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"levee/server/internal/store/sqlite"
)

// hashTable hashes a plain table: its columns and then each row, so that the same content gives the same hash, wherever its pages lie.
func hashTable(ctx context.Context, db *sqlite.Still, table string) (Table, error) {
	t, h := Table{Table: table}, sha256.New()
	err := db.EachPlain(ctx, table, func(columns []string) error {
		for _, column := range columns {
			hashText(h, 'c', column)
		}
		return nil
	}, func(values []any) error {
		t.Rows++
		_, _ = h.Write([]byte{'r'}) // a hash takes everything
		for _, value := range values {
			switch v := value.(type) {
			case nil:
				_, _ = h.Write([]byte{'n'})
			case int64:
				_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{'i'}, uint64(v))) //nolint:gosec // its bits
			case string:
				hashText(h, 't', v)
			default:
				return fmt.Errorf("%s has a %T", table, value)
			}
		}
		return nil
	})
	t.SHA256 = hex.EncodeToString(h.Sum(nil))
	return t, err
}

func hashText(h hash.Hash, sort byte, text string) {
	_, _ = h.Write(binary.BigEndian.AppendUint64([]byte{sort}, uint64(len(text))))
	_, _ = h.Write([]byte(text))
}
