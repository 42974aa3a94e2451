package record

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	recordv1 "levee/syncproto/levee/record/v1"
)

func byPhone(phone string) Identity {
	return Identity{Basis: recordv1.TokenBasis_TOKEN_BASIS_PHONE, Phone: phone}
}

func byName(name string, month int32, village string) Identity {
	return Identity{Basis: recordv1.TokenBasis_TOKEN_BASIS_NAME_BIRTH_MONTH_VILLAGE, Name: name, BirthMonth: month, Village: village}
}

func byIDNumber(number string) Identity {
	return Identity{Basis: recordv1.TokenBasis_TOKEN_BASIS_ID_NUMBER, IDNumber: number}
}

// What people write for one and the same person is one text.
func TestOnePersonIsOneText(t *testing.T) {
	for want, ways := range map[string][]Identity{
		"phone\n13800138000": {byPhone("13800138000"), byPhone(" 138-0013-8000"), byPhone("138 0013 8000"), byPhone("+86 13800138000"), byPhone("0086-138-0013-8000"),
			byPhone("8613800138000"), byPhone("013800138000"), byPhone("１３８００１３８０００"), byPhone("＋86（138）00138000"), byPhone("138\u200b00138000")},
		"phone\n03925512345":   {byPhone("0392-5512345"), byPhone("+86 392 5512345"), byPhone("+86 (0392) 551 2345"), byPhone("（０３９２）5512345")},
		"phone\n01065529988":   {byPhone("010-65529988"), byPhone("+86 10 6552 9988")},
		"phone\n0085251234567": {byPhone("+852 5123 4567"), byPhone("00852-51234567")},
		"phone\n5512345":       {byPhone("551 2345")},
		"name_birth_month_village\n王秀英\n195803\n王庄": {byName("王秀英", 195803, "王庄村"), byName(" 王 秀英\u3000", 195803, "王庄"), byName("王秀英", 195803, "王庄 村委会"),
			byName("王秀英", 195803, "王庄村民委员会"), byName("王秀英", 195803, "王庄行政村")},
		"name_birth_month_village\n阿卜杜拉买买提\n199912\n村": {byName("阿卜杜拉·买买提", 199912, "村"), byName("阿卜杜拉•买买提", 199912, "村"), byName("阿卜杜拉・买买提", 199912, "村"),
			byName("阿卜杜拉．买买提", 199912, "村"), byName("阿卜杜拉 买买提", 199912, "村")},
		"name_birth_month_village\nanneweiss\n200001\n410621108203": {byName("Anne Weiß", 200001, "410621108203"), byName("ＡＮＮＥ WEISS", 200001, "４１０６２１１０８２０３")},
		"id_number\n11010519491231002X":                             {byIDNumber("11010519491231002X"), byIDNumber("11010519491231002x"), byIDNumber("110105 19491231 002Ｘ"), byIDNumber("110105491231002")},
		"id_number\n440524188001010014":                             {byIDNumber("440524188001010014"), byIDNumber("４４０５２４-18800101-0014")},
	} {
		for _, i := range ways {
			if got, err := i.Normal(); err != nil || got != want {
				t.Errorf("%+v is %q, %v; want %q", i, got, err, want)
			}
		}
	}
}

func TestWhatNoTokenIsMadeFrom(t *testing.T) {
	for want, wrong := range map[IdentityPart][]Identity{
		IdentityBasis: {{}, {Basis: 99, Phone: "13800138000"}},
		IdentityPhone: {byPhone(""), byPhone("无"), byPhone("12345"), byPhone("1380013800"), byPhone("138001380001"), byPhone("12800138000"), byPhone("13800138000转3"),
			byPhone("13800138000, 13900139000"), byPhone("0000000"), byPhone("+86"), byPhone(strings.Repeat("23", 20))},
		IdentityName:       {byName("", 195803, "王庄"), byName(" ·", 195803, "王庄")},
		IdentityBirthMonth: {byName("王秀英", 0, "王庄"), byName("王秀英", 195813, "王庄"), byName("王秀英", 195800, "王庄"), byName("王秀英", 19580301, "王庄"), byName("王秀英", 189912, "王庄"), byName("王秀英", -195803, "王庄")},
		IdentityVillage:    {byName("王秀英", 195803, ""), byName("王秀英", 195803, "  ")},
		IdentityIDNumber: {byIDNumber(""), byIDNumber("110105194912310021"), byIDNumber("11010519491231002"), byIDNumber("X1010519491231002X"), byIDNumber("110105194913310024"),
			byIDNumber("11010549123100X"), byIDNumber("110105491331002"), byIDNumber("01010519491231002X"), byIDNumber("E12345678")},
	} {
		for _, i := range wrong {
			token, err := Token(make([]byte, LinkageKeyBytes), i)
			var e *IdentityError
			if !errors.As(err, &e) || e.Part != want || token != [TokenBytes]byte{} {
				t.Errorf("%+v: %v", i, err)
				continue
			}
			for _, said := range []string{i.Phone, i.Name, i.Village, i.IDNumber} {
				if said != "" && strings.TrimSpace(said) != "" && strings.Contains(err.Error(), said) {
					t.Errorf("the error repeats %q: %v", said, err)
				}
			}
		}
	}
}

// A token depends on the key, the basis and each part, and on nothing that belongs to another basis.
func TestTokensDiffer(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, LinkageKeyBytes), bytes.Repeat([]byte{2}, LinkageKeyBytes)
	whole := Identity{Phone: "13800138000", Name: "王秀英", BirthMonth: 195803, Village: "王庄", IDNumber: "11010519491231002X"}
	seen := map[[TokenBytes]byte]string{}
	for name, c := range map[string]struct {
		key []byte
		of  Identity
	}{
		"phone": {key, byPhone("13800138000")}, "another key": {other, byPhone("13800138000")}, "another phone": {key, byPhone("13800138001")},
		"name": {key, byName("王秀英", 195803, "王庄")}, "another month": {key, byName("王秀英", 195804, "王庄")}, "another village": {key, byName("王秀英", 195803, "李庄")},
		"another name": {key, byName("王秀", 195803, "英王庄")}, "id number": {key, byIDNumber("11010519491231002X")},
	} {
		token, err := Token(c.key, c.of)
		if err != nil || seen[token] != "" {
			t.Errorf("%s: as %s, %v", name, seen[token], err)
		}
		seen[token] = name
	}
	whole.Basis = recordv1.TokenBasis_TOKEN_BASIS_PHONE
	if token, err := Token(key, whole); err != nil || seen[token] != "phone" {
		t.Errorf("with all parts, by phone: %v", err)
	}
}

// However a number is written, it is the same person; and what is normal stays as it is.
func TestNormalisingHasNoEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := "1" + rapid.StringMatching(`[3-9][0-9]{9}`).Draw(t, "number")
		if strings.Trim(number, number[:1]) == "" {
			t.Skip("no number of anybody")
		}
		before := rapid.SampledFrom([]string{"", "+86", "0086", "86", "0", " +86 ", "＋８６"}).Draw(t, "before")
		var written strings.Builder
		written.WriteString(before)
		for _, digit := range number {
			if rapid.Bool().Draw(t, "wide") {
				digit += '０' - '0'
			}
			written.WriteRune(digit)
			written.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", "\u3000", "－"}).Draw(t, "between"))
		}
		if got, ok := normalPhone(written.String()); !ok || got != number {
			t.Fatalf("%q is %q", written.String(), got)
		}

		name := rapid.String().Draw(t, "name")
		if once := normalName(name); normalName(once) != once {
			t.Fatalf("name %q is %q, and that %q", name, once, normalName(once))
		}

		day := MakeDate(rapid.IntRange(1900, 1999).Draw(t, "year"), 1, 1).AddDays(rapid.IntRange(0, 364).Draw(t, "day"))
		first17 := fmt.Sprintf("%06d%d%03d", rapid.IntRange(100000, 999999).Draw(t, "county"), day, rapid.IntRange(0, 999).Draw(t, "order"))
		whole := first17 + string(checkDigit(first17))
		if got, ok := normalIDNumber(strings.ToLower(whole)); !ok || got != whole {
			t.Fatalf("%s is %q", whole, got)
		}
		if got, ok := normalIDNumber(whole[:6] + whole[8:17]); !ok || got != whole {
			t.Fatalf("the older form of %s is %q", whole, got)
		}
		// One wrong digit, or two neighbours in each other's place, are noticed.
		at := rapid.IntRange(0, 16).Draw(t, "at")
		wrong := []byte(whole)
		if rapid.Bool().Draw(t, "swap") && at < 16 {
			wrong[at], wrong[at+1] = wrong[at+1], wrong[at]
		} else {
			wrong[at] = '0' + (wrong[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		}
		if got, ok := normalIDNumber(string(wrong)); ok && string(wrong) != whole {
			t.Fatalf("%s was taken for %s", wrong, got)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	key := make([]byte, LinkageKeyBytes)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Token(key, byPhone("13800138000")); err != nil {
			b.Fatal(err)
		}
	}
}

// What is secret is what Conceal takes out, and the linkage key is.
func TestSecretsAreConcealed(t *testing.T) {
	if n := numberOf(recordv1.Kind_KIND_DEPLOYMENT, "linkage_key"); n != LinkageKeyField || !Secret(recordv1.Kind_KIND_DEPLOYMENT, n) {
		t.Errorf("the linkage key is field %d", n)
	}
	for _, m := range completeRecords() {
		before := proto.CloneOf(m)
		Conceal(m)
		fields := m.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			if has, had := m.ProtoReflect().Has(f), before.ProtoReflect().Has(f); has != (had && !Secret(KindOf(m), f.Number())) {
				t.Errorf("%s: had it %t, has it %t", f.FullName(), had, has)
			}
		}
	}
	conflict := &recordv1.Conflict{TargetKind: recordv1.Kind_KIND_DEPLOYMENT.Enum(), Field: proto.Uint32(uint32(LinkageKeyField)), Sides: []*recordv1.ConflictSide{{Value: []byte{1}}}}
	Conceal(conflict)
	if len(conflict.GetSides()) != 1 || conflict.GetSides()[0].Value != nil {
		t.Errorf("a conflict about it: %v", conflict)
	}
	Conceal(nil) // of a kind that this version does not know
}
