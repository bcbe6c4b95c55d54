package rpmfile

// tag is the number of a value in a header: docs/manual/tags.md of rpm.
type tag uint32

const (
	tagHeaderImage tag = 61
	tagSignatures  tag = 62 // the region of the signature header
	tagImmutable   tag = 63 // the region of the header
	tagI18NTable   tag = 100

	// The signature header (RPMSIGTAG_…). Some numbers mean something else in
	// the header.
	sigDSA             tag = 267 // over the header, by DSA, ECDSA and EdDSA
	sigRSA             tag = 268 // over the header, by RSA
	sigSHA1            tag = 269 // of the header
	sigLongSize        tag = 270
	sigLongArchiveSize tag = 271
	sigSHA256          tag = 273 // of the header
	sigFileSignatures  tag = 274 // of single files: 274 and 275 for IMA,
	sigFileLength      tag = 275
	sigVerity          tag = 276 // 276 and 277 for fs-verity
	sigVerityAlgorithm tag = 277
	sigSize            tag = 1000 // of header and payload
	sigPGP             tag = 1002 // over header and payload, by RSA
	sigMD5             tag = 1004 // of header and payload
	sigArchiveSize     tag = 1007

	tagName          tag = 1000
	tagVersion       tag = 1001
	tagRelease       tag = 1002
	tagEpoch         tag = 1003
	tagSummary       tag = 1004
	tagDescription   tag = 1005
	tagBuildTime     tag = 1006
	tagBuildHost     tag = 1007
	tagSize          tag = 1009
	tagVendor        tag = 1011
	tagLicense       tag = 1014
	tagPackager      tag = 1015
	tagGroup         tag = 1016
	tagURL           tag = 1020
	tagArch          tag = 1022
	tagOldFilenames  tag = 1027
	tagFileModes     tag = 1030
	tagFileFlags     tag = 1037
	tagSourceRPM     tag = 1044
	tagChangelogTime tag = 1080
	tagChangelogName tag = 1081
	tagChangelogText tag = 1082
	tagSourcePackage tag = 1106
	tagDirIndexes    tag = 1116
	tagBasenames     tag = 1117
	tagDirNames      tag = 1118
	tagLongSize      tag = 5009

	tagPayloadDigest     tag = 5092
	tagPayloadDigestAlgo tag = 5093
	tagRPMFormat         tag = 5114
)

// relation is the three lists that one kind of dependency is kept in.
type relation struct{ names, flags, versions tag }

var (
	provides    = relation{1047, 1112, 1113}
	requires    = relation{1049, 1048, 1050}
	conflicts   = relation{1054, 1053, 1055}
	obsoletes   = relation{1090, 1114, 1115}
	recommends  = relation{5046, 5048, 5047}
	suggests    = relation{5049, 5051, 5050}
	supplements = relation{5052, 5054, 5053}
	enhances    = relation{5055, 5057, 5056}
)

const (
	// Flags of a dependency, RPMSENSE_…, beside those of [Compare]: PREREQ,
	// SCRIPT_PRE and SCRIPT_POST.
	flagPre = 1<<6 | 1<<9 | 1<<10

	flagGhost = 1 << 6 // RPMFILE_GHOST, a flag of a file

	modeType      = 0o170000 // of a file's mode: stat(2)
	modeDirectory = 0o040000
)
