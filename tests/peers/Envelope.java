/* SPDX-License-Identifier: Apache-2.0 */
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1InputStream;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.Attribute;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.AuthEnvelopedData;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.GCMParameters;
import org.bouncycastle.asn1.cms.KEKIdentifier;
import org.bouncycastle.asn1.cms.KEKRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.cms.Time;
import org.bouncycastle.asn1.ess.ESSCertIDv2;
import org.bouncycastle.asn1.ess.SigningCertificateV2;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.KeyAgreeRecipientInformation;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKEKEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKEKRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * A second reader and writer of doc/FORMAT 7, by BouncyCastle's CMS. The reader uses its high-level classes for all that it believes.
 *
 *   open KEYFILE KEYID CA IN OUT            a sealed file, verified; says who signed what
 *   own KEYFILE KEYID KEY IN OUT            one object that is sealed to a certificate; the group's key is not used
 *   lone KEYFILE KEYID IN OUT               one AuthEnvelopedData as the library makes it
 *   seal KEYFILE KEYID CERT KEY GROUP NAME IN OUT    a sealed file
 */
public final class Envelope {
	private static final int SEGMENT = 4 << 20;
	private static final int MORE = 0, LAST = 1, MANIFEST = 2, NOTE = 3;
	private static final String BC = "BC";
	/* The text of format 1, as scg writes it. */
	private static final String NOTE_TEXT =
		"scg envelope, format 1. This file is a sequence of CMS objects (RFC 5083 AuthEnvelopedData, AES-256-GCM): this note, then the\n"
		+ "file in segments of 4194304 bytes, then a manifest. What you read is the note alone: open each object by itself. The length of\n"
		+ "each stands in its first bytes (DER). Every object opens with\n"
		+ "    openssl cms -decrypt -inform DER -in OBJECT -secretkey KEY -secretkeyid ID -binary -out PIECE\n"
		+ "and the pieces of all segments, joined in order, are the file. The manifest's piece is signed by the author and names the SHA-256\n"
		+ "of each segment:\n"
		+ "    openssl cms -verify -inform DER -in PIECE -CAfile GROUP-CA.crt\n";

	private final SecretKeySpec groupKey;
	private final byte[] keyId;

	private Envelope(String keyFile, String keyId) throws IOException {
		groupKey = new SecretKeySpec(HexFormat.of().parseHex(Files.readString(Path.of(keyFile)).strip().toLowerCase()), "AES");
		this.keyId = HexFormat.of().parseHex(keyId);
	}

	public static void main(String[] args) throws Exception {
		Security.addProvider(new BouncyCastleProvider());
		Envelope envelope = new Envelope(args[1], args[2]);
		switch (args[0]) {
		case "open" -> envelope.open(args[3], Path.of(args[4]), Path.of(args[5]));
		case "own" -> Files.write(Path.of(args[5]), own(privateKey(args[3]), Files.readAllBytes(Path.of(args[4]))));
		case "lone" -> envelope.lone(Path.of(args[3]), Path.of(args[4]));
		case "seal" -> envelope.seal(args);
		default -> throw new IllegalArgumentException(args[0]);
		}
	}

	private static void check(boolean holds, String what) throws IOException {
		if (!holds)
			throw new IOException(what);
	}

	private static X509Certificate certificate(String file) throws Exception {
		try (PEMParser pem = new PEMParser(new FileReader(file))) {
			return new JcaX509CertificateConverter().getCertificate((X509CertificateHolder) pem.readObject());
		}
	}

	private static PrivateKey privateKey(String file) throws Exception {
		try (PEMParser pem = new PEMParser(new FileReader(file))) {
			return new JcaPEMKeyConverter().getPrivateKey((PrivateKeyInfo) pem.readObject());
		}
	}

	private static byte[] sha256(byte[] data) throws Exception {
		return MessageDigest.getInstance("SHA-256").digest(data);
	}

	/* ---- reading ---- */

	private byte[] content(byte[] object) throws Exception {
		Collection<RecipientInformation> recipients = new CMSAuthEnvelopedData(object).getRecipientInfos().getRecipients();
		check(recipients.size() == 1, "not one recipient");
		return recipients.iterator().next().getContent(new JceKEKEnvelopedRecipient(groupKey).setProvider(BC));
	}

	private static byte[] own(PrivateKey key, byte[] file) throws Exception {
		RecipientInformation to = new CMSAuthEnvelopedData(objects(file).get(0)).getRecipientInfos().getRecipients().iterator().next();
		Recipient recipient = to instanceof KeyAgreeRecipientInformation
			? new JceKeyAgreeEnvelopedRecipient(key).setProvider(BC) : new JceKeyTransEnvelopedRecipient(key).setProvider(BC);

		return to.getContent(recipient);
	}

	private static List<byte[]> objects(byte[] file) throws IOException {
		List<byte[]> objects = new ArrayList<>();
		try (ASN1InputStream in = new ASN1InputStream(new ByteArrayInputStream(file), file.length)) {
			for (var o = in.readObject(); o != null; o = in.readObject())
				objects.add(o.getEncoded(ASN1Encoding.DER));
		}
		int total = objects.stream().mapToInt(o -> o.length).sum();
		check(total == file.length, "not DER, or something between the objects");
		return objects;
	}

	private static void checkChain(X509Certificate signer, String ca, Date when) throws Exception {
		X509CertSelector target = new X509CertSelector();
		target.setCertificate(signer);
		PKIXBuilderParameters p = new PKIXBuilderParameters(Set.of(new TrustAnchor(certificate(ca), null)), target);
		p.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(List.of(signer))));
		p.setRevocationEnabled(false);
		p.setDate(when);
		CertPathBuilder.getInstance("PKIX").build(p);
		check(signer.getExtendedKeyUsage().contains("1.3.6.1.5.5.7.3.4"), "not for emailProtection");
	}

	/* The manifest's lines, and the name of who signed them. */
	private static String[] verified(byte[] manifest, String ca, StringBuilder who) throws Exception {
		CMSSignedData signed = new CMSSignedData(manifest);
		Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
		check(signers.size() == 1, "not one signer");
		SignerInformation signer = signers.iterator().next();
		@SuppressWarnings("unchecked")
		var holder = (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
		X509Certificate cert = new JcaX509CertificateConverter().getCertificate(holder);
		check(signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(cert)), "the signature is wrong");
		Attribute time = signer.getSignedAttributes().get(CMSAttributes.signingTime);
		checkChain(cert, ca, Time.getInstance(time.getAttrValues().getObjectAt(0)).getDate());
		who.append(cert.getSubjectX500Principal().getName().replaceFirst("^CN=([^,]*).*", "$1"));
		return new String((byte[]) signed.getSignedContent().getContent(), StandardCharsets.UTF_8).split("\n");
	}

	private void open(String ca, Path in, Path out) throws Exception {
		List<byte[]> objects = objects(Files.readAllBytes(in));
		StringBuilder who = new StringBuilder();
		String[] lines = verified(content(objects.get(objects.size() - 1)), ca, who);
		int count = Integer.parseInt(lines[7].substring("count ".length())), first = count > 1 ? 1 : 0;

		check(lines[0].equals("scg-manifest 1") && lines.length == 8 + count && objects.size() == first + count + 1, "another manifest");
		check(first == 0 || Arrays.equals(content(objects.get(0)), NOTE_TEXT.getBytes(StandardCharsets.US_ASCII)), "another note");
		ByteArrayOutputStream plain = new ByteArrayOutputStream();
		for (int i = 0; i < count; i++) {
			byte[] segment = content(objects.get(first + i));

			check(HexFormat.of().formatHex(sha256(segment)).equals(lines[8 + i]), "segment " + i + " is not what was signed");
			plain.write(segment);
		}
		Files.write(out, plain.toByteArray());
		System.out.println(who + " signed " + lines[2].substring("name ".length()) + ", " + plain.size() + " bytes");
	}

	/* ---- writing ---- */

	private void lone(Path in, Path out) throws Exception {
		CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
		generator.addRecipientInfoGenerator(
			new JceKEKRecipientInfoGenerator(new KEKIdentifier(keyId, null, null), groupKey).setProvider(BC));
		CMSAuthEnvelopedData data = generator.generate(new CMSProcessableByteArray(Files.readAllBytes(in)),
			(OutputAEADEncryptor) new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_GCM).setProvider(BC).build());
		Files.write(out, data.getEncoded());
	}

	/* What all objects of one file share. */
	private final class Writer {
		private final byte[] contentKey = new byte[32], prefix = new byte[7], wrapped;
		private final OutputStream out;

		Writer(OutputStream out) throws Exception {
			SecureRandom random = new SecureRandom();
			random.nextBytes(contentKey);
			random.nextBytes(prefix);
			Cipher wrap = Cipher.getInstance("AESWrap", BC);
			wrap.init(Cipher.WRAP_MODE, groupKey);
			wrapped = wrap.wrap(new SecretKeySpec(contentKey, "AES"));
			this.out = out;
		}

		void object(int index, int kind, byte[] plain) throws Exception {
			byte[] nonce = ByteBuffer.allocate(12).put(prefix).putInt(index).put((byte) kind).array();
			Cipher gcm = Cipher.getInstance("AES/GCM/NoPadding", BC);
			gcm.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(contentKey, "AES"), new GCMParameterSpec(128, nonce));
			byte[] sealed = gcm.doFinal(plain);
			int len = sealed.length - 16;
			KEKRecipientInfo kek = new KEKRecipientInfo(new KEKIdentifier(keyId, null, null),
				new AlgorithmIdentifier(NISTObjectIdentifiers.id_aes256_wrap), new DEROctetString(wrapped));
			EncryptedContentInfo info = new EncryptedContentInfo(PKCSObjectIdentifiers.data,
				new AlgorithmIdentifier(NISTObjectIdentifiers.id_aes256_GCM, new GCMParameters(nonce, 16)),
				new DEROctetString(Arrays.copyOf(sealed, len)));
			AuthEnvelopedData data = new AuthEnvelopedData(null, new DERSet(new RecipientInfo(kek)), info, null,
				new DEROctetString(Arrays.copyOfRange(sealed, len, sealed.length)), null);
			out.write(new ContentInfo(CMSObjectIdentifiers.authEnvelopedData, data).getEncoded(ASN1Encoding.DER));
		}
	}

	/* The attributes of doc/FORMAT 5: without RFC 6211's, which the library adds, with the certificate's digest. */
	private static byte[] signed(byte[] text, X509Certificate cert, PrivateKey key) throws Exception {
		DefaultSignedAttributeTableGenerator usual = new DefaultSignedAttributeTableGenerator();
		ESSCertIDv2[] ids = { new ESSCertIDv2(sha256(cert.getEncoded())) };
		/* Of RFC 5754 3.2's two names the format has the one that every implementation must know; left alone, BouncyCastle writes the other. */
		AlgorithmIdentifier rsa = new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE);
		JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(
			new JcaDigestCalculatorProviderBuilder().setProvider(BC).build(),
			a -> a.getAlgorithm().equals(PKCSObjectIdentifiers.sha256WithRSAEncryption) ? rsa : a);
		builder.setSignedAttributeGenerator(p -> {
			AttributeTable table = usual.getAttributes(p).remove(CMSAttributes.cmsAlgorithmProtect);
			return table.add(PKCSObjectIdentifiers.id_aa_signingCertificateV2, new SigningCertificateV2(ids));
		});
		String algorithm = key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA";
		CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
		generator.addSignerInfoGenerator(builder.build(new JcaContentSignerBuilder(algorithm).setProvider(BC).build(key), cert));
		generator.addCertificates(new JcaCertStore(List.of(cert)));
		return generator.generate(new CMSProcessableByteArray(text), true).getEncoded(ASN1Encoding.DER);
	}

	private void seal(String[] args) throws Exception {
		byte[] plain = Files.readAllBytes(Path.of(args[7]));
		int count = plain.length == 0 ? 1 : (plain.length - 1) / SEGMENT + 1;
		StringBuilder text = new StringBuilder("scg-manifest 1\ngroup " + args[5] + "\nname " + args[6] + "\nfile " + UUID.randomUUID()
			+ "\nversion 1\nsize " + plain.length + "\nsegment-size " + SEGMENT + "\ncount " + count + "\n");

		try (OutputStream out = Files.newOutputStream(Path.of(args[8]))) {
			Writer writer = new Writer(out);
			if (count > 1)
				writer.object(0, NOTE, NOTE_TEXT.getBytes(StandardCharsets.US_ASCII));
			for (int i = 0; i < count; i++) {
				byte[] segment = Arrays.copyOfRange(plain, i * SEGMENT, Math.min(plain.length, (i + 1) * SEGMENT));

				writer.object(i, i + 1 == count ? LAST : MORE, segment);
				text.append(HexFormat.of().formatHex(sha256(segment))).append('\n');
			}
			byte[] lines = text.toString().getBytes(StandardCharsets.US_ASCII);
			writer.object(count, MANIFEST, signed(lines, certificate(args[3]), privateKey(args[4])));
		}
	}
}
