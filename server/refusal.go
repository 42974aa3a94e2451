package server

import (
	"errors"
	"fmt"

	"levee/server/internal/database"
	"levee/server/internal/store"
	"levee/syncproto/problem"
)

// Refusal says, in words for the operator, why a server does not start or a command was not carried out. Nothing was
// changed then.
type Refusal struct {
	// Code is stable.
	Code  RefusalCode
	args  []any
	cause error
}

// RefusalCode names a Refusal.
type RefusalCode string

// The refusals.
const (
	// DatabaseDamaged: what is on the disk is not what the server wrote.
	DatabaseDamaged RefusalCode = "database_damaged"
	// DatabaseForeign: the file is a database of another program.
	DatabaseForeign RefusalCode = "database_foreign"
	// DatabaseArchive: the file is an archive, which is only read.
	DatabaseArchive RefusalCode = "database_archive"
	// DatabaseGone: there are keys, so there was a deployment, and the database holds none.
	DatabaseGone RefusalCode = "database_gone"
	// DatabaseAway: it can't be reached.
	DatabaseAway RefusalCode = "database_away"
	// PostgresDamaged and PostgresGone are DatabaseDamaged and DatabaseGone, of a PostgreSQL database.
	PostgresDamaged RefusalCode = "postgres_damaged"
	PostgresGone    RefusalCode = "postgres_gone"
	// PostgresBackups: PostgreSQL is backed up by its own tools.
	PostgresBackups RefusalCode = "postgres_backups"
	// DatabaseInUse: a server runs on it.
	DatabaseInUse RefusalCode = "database_in_use"
	// DiskFull: there is no room.
	DiskFull RefusalCode = "disk_full"
	// KeysMissing: there is a deployment, and its keys are not there.
	KeysMissing RefusalCode = "keys_missing"
	// RestoreUnderWay: another database is being put in place of this one, or that was broken off.
	RestoreUnderWay RefusalCode = "restore_under_way"
	// ClockBehind: the machine's clock lies behind the newest change in the database.
	ClockBehind RefusalCode = "clock_behind"
	// JournalDamaged: a line of the journal is not as the server wrote it.
	JournalDamaged RefusalCode = "journal_damaged"
	// PlainHTTP: connections from other machines would not be encrypted, and nobody asked for that.
	PlainHTTP RefusalCode = "plain_http"
	// AdminReachable: other machines could reach the admin address.
	AdminReachable RefusalCode = "admin_reachable"
	// CertificateUnusable: the files of the certificate can't be read, or do not belong together.
	CertificateUnusable RefusalCode = "certificate_unusable"
	// BackupThere: a backup never overwrites a file unless told.
	BackupThere RefusalCode = "backup_there"
	// ExportThere: an export never writes over anything.
	ExportThere RefusalCode = "export_there"
	// DeploymentUnclear: there are several deployments, or none of that id.
	DeploymentUnclear RefusalCode = "deployment_unclear"
	// WorkbookUnclear: the deployment has no Excel file of that name, or several.
	WorkbookUnclear RefusalCode = "workbook_unclear"
	// ArchiveNotSound: an archive does not verify.
	ArchiveNotSound RefusalCode = "archive_not_sound"
	// NotClosed: a deployment without a certificate is not archived.
	NotClosed RefusalCode = "not_closed"
	// NotCertified: what a deployment holds is not what its newest certificate says.
	NotCertified RefusalCode = "not_certified"
	// BackupDamaged: the backup does not hold what it should.
	BackupDamaged RefusalCode = "backup_damaged"
	// DeploymentOpen: what is done after a deployment was closed can't be done yet.
	DeploymentOpen RefusalCode = "deployment_open"
	// ErasureNotDue: the day has not come from which the personal data of a deployment is erased.
	ErasureNotDue RefusalCode = "erasure_not_due"
	// NameDiffers: what was typed is not the name of the deployment.
	NameDiffers RefusalCode = "name_differs"
	// RecipientUnreadable: what was named is no public key.
	RecipientUnreadable RefusalCode = "recipient_unreadable"
	// PassphraseShort: a passphrase could be guessed.
	PassphraseShort RefusalCode = "passphrase_short"
	// CaseUnknown: there is no case of such a number.
	CaseUnknown RefusalCode = "case_unknown"
	// SealedCantBeOpened: the key or passphrase does not open the file, or it is damaged.
	SealedCantBeOpened RefusalCode = "sealed_cant_be_opened"
)

var refusals = map[RefusalCode]struct{ zh, en string }{
	DatabaseDamaged: {
		"数据库 %[1]s 已损坏，没有对它做任何改动。\n查看损坏情况：leveed check --db %[1]s\n用最近的备份恢复：leveed restore 备份文件 --db %[1]s\n平板在备份之后送来的内容，会在下次同步时自动补回。",
		"The database %[1]s is damaged. Nothing in it was changed.\nTo see what is damaged: leveed check --db %[1]s\nTo put the newest backup in its place: leveed restore BACKUP --db %[1]s\nWhat tablets have sent since that backup, they bring back by themselves at their next syncs."},
	DatabaseForeign: {
		"%[1]s 是其他程序的数据库，没有对它做任何改动。请核对 --db。",
		"%[1]s is a database of another program. Nothing in it was changed. Check what --db names."},
	DatabaseArchive: {
		"%[1]s 是行动档案，没有对它做任何改动。\n查阅：leveed open-archive %[1]s\n核验：leveed verify %[1]s",
		"%[1]s is an archive. Nothing in it was changed.\nTo look at it: leveed open-archive %[1]s\nTo verify it: leveed verify %[1]s"},
	ArchiveNotSound: {
		"%[1]s 没有通过核验，没有打开。查看哪里不符：leveed verify %[1]s",
		"%[1]s does not verify and was not opened. To see what does not hold: leveed verify %[1]s"},
	NotClosed: {
		"行动还没有数据确认书，不能归档。请先收队。",
		"The deployment has no certificate yet, so there is nothing to archive. Close it first."},
	NotCertified: {
		"统计与最新的数据确认书不一致，没有归档：%[1]v\n请先签发新的一版。",
		"The deployment is not as its newest certificate says, and was not archived: %[1]v\nIssue the next edition first."},
	DatabaseGone: {
		"密钥 %[2]s 还在，数据库 %[1]s 里却没有任何行动，可能是换了硬盘或丢了文件。\n用最近的备份恢复：leveed restore 备份文件 --db %[1]s\n如果确实要新建行动，请先把密钥文件移到别处。",
		"There are keys at %[2]s, and no deployment in the database %[1]s: its disk may have been replaced, or the file lost.\nTo put the newest backup in its place: leveed restore BACKUP --db %[1]s\nIf a new deployment is to be made, move the keys elsewhere first."},
	DatabaseAway: {
		"连不上数据库 %[1]v。请检查 --db、网络，以及数据库服务器是否在运行。",
		"The database %[1]v can't be reached. Check --db and the network, and whether its server runs."},
	PostgresDamaged: {
		"数据库 %[1]v 已损坏。请用 PostgreSQL 的备份恢复（pg_basebackup 与归档的 WAL，或 pg_dump）。\n平板在备份之后送来的内容，会在下次同步时自动补回。",
		"The database %[1]v is damaged. Restore it from a backup of PostgreSQL (pg_basebackup with archived WAL, or pg_dump).\nWhat tablets have sent since that backup, they bring back by themselves at their next syncs."},
	PostgresGone: {
		"密钥 %[2]s 还在，数据库 %[1]v 里却没有任何行动。请核对 --db，或用 PostgreSQL 的备份恢复。\n如果确实要新建行动，请先把密钥文件移到别处。",
		"There are keys at %[2]s, and no deployment in the database %[1]v. Check --db, or restore a backup of PostgreSQL.\nIf a new deployment is to be made, move the keys elsewhere first."},
	PostgresBackups: {
		"%[1]v 是 PostgreSQL 数据库：备份和恢复请用它自己的工具，pg_dump，或 pg_basebackup 加 WAL 归档（archive_command）。密钥文件和日志文件请另行保管。",
		"%[1]v is a PostgreSQL database. Back it up and restore it with its own tools: pg_dump, or pg_basebackup with WAL archiving (archive_command). Keep the server's keys and its journal apart from that."},
	DatabaseInUse: {
		"有服务器正在使用数据库 %[1]s，请先停止它，再恢复。",
		"A server is running on the database %[1]s. Stop it, then restore."},
	DiskFull: {
		"%[1]s 所在的磁盘已满。请腾出空间后重试；已保存的内容不受影响。",
		"The disk that holds %[1]s is full. Make room and try again; what was saved is safe."},
	KeysMissing: {
		"数据库 %[1]s 里有行动，密钥却不在 %[2]s。请把保管的密钥放回去，或用 --keys 指明位置。",
		"%[1]s has a deployment, and its keys are not at %[2]s: put them back from where they are kept, or name them with --keys."},
	RestoreUnderWay: {
		"数据库 %[1]s 正在恢复，或者上次恢复中断了。如果没有恢复在进行，请重新执行 leveed restore 备份文件 --db %[1]s。",
		"The database %[1]s is being restored, or that was broken off. If no restore is running, run it again: leveed restore BACKUP --db %[1]s"},
	ClockBehind: {
		"本机时钟比数据库 %[1]s 里最新的更改慢 %[2]v。没有启动：用慢的时钟会让新填写的内容输给旧的。\n请校准时钟后再启动。\n如果时钟是对的，而是以前快过：leveed accept-time --db %[1]s",
		"The clock of this machine is %[2]v behind the newest change in the database %[1]s. The server does not start, since what is logged by such a clock would lose against what is there.\nSet the clock right and start again.\nIf it is right, and had run ahead before: leveed accept-time --db %[1]s"},
	AdminReachable: {
		"管理地址 %[1]v 可以从其他机器访问，而它不核对身份，没有启动。请改用只有本机能访问的地址，例如 127.0.0.1:8411。",
		"Other machines can reach the admin address %[1]v, which asks nobody who they are, so the server does not start. Take an address of this machine alone, such as 127.0.0.1:8411."},
	JournalDamaged: {
		"日志文件 %[1]s 已损坏。它记录了哪些平板已停用、哪些登记码已使用，请从备份放回。\n如果没有备份，可把它移到别处：平板下次同步时会带回它们保存的条目。",
		"The journal %[1]s is damaged. It says which tablets were revoked and which codes were used: put it back from its backup.\nIf there is none, move it elsewhere: tablets bring back what they hold of it at their next syncs."},
	PlainHTTP: {
		"没有启动：%[1]v 可以从其他机器访问，而连接没有加密，密码和服务对象的信息会被旁人看到。请选择：\n  --tls-cert 和 --tls-key  使用已有的证书\n  --acme 域名              自动申请证书（需要互联网和 443 端口）\n  --self-signed            没有互联网的营地：服务器自签证书，登记码里带有它的指纹\n  --plain-http             由前面的反向代理加密",
		"Not started: other machines can reach %[1]v, and connections to it would not be encrypted: anybody on the way could read passwords and the identities of clients. Choose one:\n  --tls-cert and --tls-key  a certificate that you have\n  --acme DOMAIN             certificates made by themselves (needs the internet and port 443)\n  --self-signed             a camp without internet: the server signs its own, and enrolment codes carry its pin\n  --plain-http              a proxy in front of the server encrypts"},
	CertificateUnusable: {
		"证书 %[1]s 和私钥 %[2]s 不能使用：%[3]v",
		"The certificate %[1]s and its key %[2]s can't be used: %[3]v"},
	BackupThere: {
		"%[1]s 已存在，没有覆盖。请换一个文件名，或加上 --force。",
		"%[1]s is there already and was not overwritten. Name another file, or add --force."},
	ExportThere: {
		"%[1]s 已存在，没有覆盖。请换一个名称。",
		"%[1]s is there already and was not written over. Name another."},
	DeploymentUnclear: {
		"请用 --deployment 指明行动，可选：\n%[1]s",
		"Say with --deployment which deployment is meant. There are:\n%[1]s"},
	WorkbookUnclear: {
		"请用 --workbook 指明报表文件的名称或编号，可选：\n%[1]s",
		"Say with --workbook which Excel file is meant, by its name or its id. There are:\n%[1]s"},
	DeploymentOpen: {
		"行动“%[1]s”还没有结束，没有清除任何内容。请先收队并签发数据确认书。",
		"The deployment “%[1]s” is not closed yet. Nothing was erased. Close it first, with its certificate."},
	ErasureNotDue: {
		"行动“%[1]s”的个人信息保留到 %[2]s，现在没有清除任何内容。\n如果确实要提前清除：加上 --now，并输入行动名称。",
		"The personal data of “%[1]s” is kept until %[2]s. Nothing was erased.\nTo erase it earlier all the same: add --now, and type the deployment's name."},
	NameDiffers: {
		"输入的名称与行动“%[1]s”不一致，没有清除任何内容。",
		"What was typed is not the name of the deployment “%[1]s”. Nothing was erased."},
	RecipientUnreadable: {
		"--to 后面不是 age 公钥。请向接收机构索取以 age1 开头的公钥（由 age-keygen 生成）。没有生成文件。",
		"What --to names is no public key of age. Ask the receiving station for theirs: it begins with age1, and age-keygen makes it. No file was made."},
	PassphraseShort: {
		"口令至少 %[1]d 个字符。请换一个更长的口令，没有生成文件。",
		"A passphrase has at least %[1]d characters. Take a longer one. No file was made."},
	CaseUnknown: {
		"没有这样的个案：%[1]s。请核对编号，没有生成文件。",
		"There is no such case: %[1]s. Check the number. No file was made."},
	SealedCantBeOpened: {
		"打不开 %[1]s：私钥或口令不对，或者文件已损坏。请向移交方核对。",
		"%[1]s can't be opened: the key or passphrase is another one, or the file is damaged. Ask who handed it over."},
	BackupDamaged: {
		"%[1]s 不是完好的备份，没有使用：%[2]v\n请换一个更早的备份。",
		"%[1]s is no sound backup and was not used: %[2]v\nTake an older one."},
}

func (r *Refusal) Error() string {
	if r.cause != nil {
		return r.In("en") + "\n" + r.cause.Error()
	}
	return r.In("en")
}

// Unwrap is the cause, for the log; it may be nil.
func (r *Refusal) Unwrap() error { return r.cause }

// In is the refusal in a language: Chinese for a tag "zh…", else English.
func (r *Refusal) In(lang string) string {
	text := refusals[r.Code].en
	if len(lang) >= 2 && lang[:2] == "zh" {
		text = refusals[r.Code].zh
	}
	return fmt.Sprintf(text, r.args...)
}

func refuse(code RefusalCode, cause error, args ...any) error { return &Refusal{code, args, cause} }

// refusedAt puts what can be wrong with a database into words.
func refusedAt(at database.At, err error) error {
	switch {
	case problem.CodeOf(err) == problem.StorageFull:
		return refuse(DiskFull, err, at)
	case at.OnPostgres() && problem.CodeOf(err) == problem.Busy:
		return refuse(DatabaseAway, err, at)
	case at.OnPostgres() && errors.Is(err, store.ErrDamaged):
		return refuse(PostgresDamaged, err, at)
	}
	for what, code := range map[error]RefusalCode{store.ErrDamaged: DatabaseDamaged, store.ErrForeign: DatabaseForeign, store.ErrArchive: DatabaseArchive} {
		if errors.Is(err, what) {
			return refuse(code, err, at)
		}
	}
	return err
}
