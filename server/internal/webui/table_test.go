package webui

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// TestTablesOfSpreadsheets reads one table as different programs save it.
func TestTablesOfSpreadsheets(t *testing.T) {
	plain := "名称,代码\r\n王庄镇,410621108\r\n\r\n\"小河,镇\",410621105\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.ReplaceAll(strings.ReplaceAll(plain, "小河,镇", "小河;镇"), ",", "\t"))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"UTF-8": plain, "with a mark": "\ufeff" + plain, "GB18030": gb, "UTF-16 with tabs": wide,
		"semicolons": strings.NewReplacer("名称,代码", "名称;代码", "镇,41", "镇;41", "\",41", "\";41").Replace(plain),
	} {
		table, fault := readTable([]byte(file))
		if fault != nil {
			t.Errorf("%s: %v", name, fault)
			continue
		}
		if !slices.Equal(table.headings, []string{"名称", "代码"}) || len(table.rows) != 2 || table.rows[0].number != 2 || !slices.Equal(table.rows[0].cells, []string{"王庄镇", "410621108"}) ||
			table.rows[1].number != 4 || table.rows[1].cells[1] != "410621105" || len([]rune(table.rows[1].cells[0])) != 4 {
			t.Errorf("%s: %+v", name, table)
		}
	}
}

// TestNoTables: what can't be read says why.
func TestNoTables(t *testing.T) {
	for want, file := range map[string]string{
		"wrong_table_text":   "PK\x03\x04\x00\x00\xff\xff\xff",
		"wrong_table_quotes": "name\n\"open",
		"wrong_table_cell":   "name\n" + strings.Repeat("x", maxTyped+1),
		"wrong_table_wide":   strings.Repeat("x,", maxTableCells) + "x\n",
		"wrong_table_long":   "name\n" + strings.Repeat("x\n", maxTableRows+1),
		"wrong_table_empty":  "name\n\n,,\n",
	} {
		if _, fault := readTable([]byte(file)); fault == nil || fault.message != want {
			t.Errorf("%s: %v", want, fault)
		}
	}
	if _, fault := readTable([]byte("name\n" + strings.Repeat("x\n", maxTableRows))); fault != nil {
		t.Errorf("as many rows as may be: %v", fault)
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add([]byte("\ufeffname;site\n\"a\";b\n"))
	f.Add([]byte{0xFF, 0xFE, 'a', 0, '\n', 0})
	f.Fuzz(func(t *testing.T, file []byte) {
		if table, fault := readTable(file); (table == nil) == (fault == nil) {
			t.Errorf("%v, %v", table, fault)
		}
	})
}
