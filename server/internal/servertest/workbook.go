package servertest

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"
)

// BureauFile is a bureau's Excel file: in Sheet1, the cell B4 adds up B2 and B3.
func BureauFile(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	if err := f.SetCellFormula("Sheet1", "B4", "B2+B3"); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
