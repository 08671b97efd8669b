// SPDX-License-Identifier: Apache-2.0
// Google's own client (@googleapis/drive) on the Drive emulator; run by drive-npm.sh. Arguments: the emulator's URL, the key file of a
// service account. Each claim is said before it is tried; the first that does not hold ends the run.
'use strict';
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const { Readable } = require('node:stream');
const { auth, drive } = require('@googleapis/drive');

const [url, keyFile] = process.argv.slice(2);
const SCOPE = 'https://www.googleapis.com/auth/drive';
const REDIRECT = 'http://127.0.0.1:9/callback';
const endpoints = {
	oauth2AuthBaseUrl: `${url}/o/oauth2/v2/auth`,
	oauth2TokenUrl: `${url}/token`,
	oauth2RevokeUrl: `${url}/revoke`,
};
const claims = [];
const claim = (text, run) => claims.push({ text, run });
const rejects = (promise, code, reason) => assert.rejects(promise, (e) => {
	assert.equal(e.response?.status, code, e.message);
	assert.equal(e.response.data.error.errors[0].reason, reason);
	return true;
});
const md5 = (data) => crypto.createHash('md5').update(data).digest('hex');
const control = async (command, body) => (await fetch(`${url}/_control/${command}`, { method: 'POST', body: JSON.stringify(body) })).json();

let client, api, folder;

// What a person does: follows the page to the redirect, whose parameters the program gets.
async function consent(pkce, extra) {
	const page = client.generateAuthUrl({
		access_type: 'offline', scope: SCOPE, state: 'abc', code_challenge: pkce.codeChallenge, code_challenge_method: 'S256', ...extra,
	});
	const reply = await fetch(page, { redirect: 'manual' });
	assert.equal(reply.status, 302);
	return new URL(reply.headers.get('location')).searchParams;
}

claim('consent, with PKCE', async () => {
	client = new auth.OAuth2({ clientId: 'ID', clientSecret: 'SECRET', redirectUri: REDIRECT, endpoints, forceRefreshOnFailure: true });
	const pkce = await client.generateCodeVerifierAsync();
	const back = await consent(pkce);
	assert.equal(back.get('state'), 'abc');
	const { tokens } = await client.getToken({ code: back.get('code'), codeVerifier: pkce.codeVerifier });
	assert.ok(tokens.refresh_token && tokens.access_token);
	assert.equal(tokens.scope, SCOPE);
	client.setCredentials(tokens);
	api = drive({ version: 'v3', auth: client, rootUrl: `${url}/` });
	await assert.rejects(client.getToken({ code: back.get('code'), codeVerifier: pkce.codeVerifier }), /invalid_grant/);
});

claim('a wrong verifier and a denied consent give nothing', async () => {
	const pkce = await client.generateCodeVerifierAsync();
	const back = await consent(pkce);
	await assert.rejects(client.getToken({ code: back.get('code'), codeVerifier: 'x'.repeat(43) }), /invalid_grant/);
	await control('consent', { mode: 'deny' });
	assert.equal((await consent(pkce)).get('error'), 'access_denied');
	await control('consent', {});
});

claim('about, and a call without fields that needs them', async () => {
	const { data } = await api.about.get({ fields: 'user(emailAddress),storageQuota' });
	assert.equal(data.user.emailAddress, 'alice@example.org');
	await rejects(api.about.get(), 400, 'required');
});

claim('an access token that ended is renewed after the 401', async () => {
	await control('expire', { account: 'alice@example.org' });
	const { data } = await api.files.create({ requestBody: { name: 'npm', mimeType: 'application/vnd.google-apps.folder' } });
	folder = data.id;
	assert.deepEqual(Object.keys(data).sort(), ['id', 'kind', 'mimeType', 'name']);
});

const create = (name, content, extra = {}, parent = folder) => api.files.create({
	requestBody: { name, parents: [parent], ...extra }, media: { mimeType: 'application/cms', body: Readable.from([content]) },
	fields: 'id,size,md5Checksum,sha256Checksum,headRevisionId,version', supportsAllDrives: true,
});
const bytes = async (fileId, headers = {}) => Buffer.from((await api.files.get({ fileId, alt: 'media' }, { responseType: 'arraybuffer', headers })).data);

claim('a small upload in one request comes back, byte for byte', async () => {
	const content = crypto.randomBytes(100000);
	const { data } = await create('small', content);
	assert.equal(data.size, '100000');
	assert.equal(data.md5Checksum, md5(content));
	assert.equal(data.sha256Checksum, crypto.createHash('sha256').update(content).digest('hex'));
	assert.deepEqual(await bytes(data.id), content);
});

claim('a resumable upload in chunks, with what is there asked for in between', async () => {
	const content = crypto.randomBytes(600000), unit = 262144;
	const start = await client.request({
		url: `${url}/upload/drive/v3/files?uploadType=resumable&fields=id,md5Checksum`, method: 'POST',
		headers: { 'X-Upload-Content-Length': '600000' }, data: { name: 'resumable', parents: [folder] },
	});
	const session = start.headers.get('location');
	const put = (range, body) => client.request({
		url: session, method: 'PUT', headers: { 'Content-Range': range }, body, validateStatus: () => true, retry: false });
	assert.equal((await put('bytes */600000')).headers.get('range'), null);
	const first = await put(`bytes 0-${unit - 1}/600000`, content.subarray(0, unit));
	assert.equal(first.status, 308);
	assert.equal(first.headers.get('range'), `bytes=0-${unit - 1}`);
	assert.equal((await put(`bytes ${unit}-${unit + 999}/600000`, content.subarray(unit, unit + 1000))).status, 400);
	assert.equal((await put('bytes */600000')).headers.get('range'), `bytes=0-${unit - 1}`);
	const last = await put(`bytes ${unit}-599999/600000`, content.subarray(unit));
	assert.equal(last.status, 200);
	assert.equal(last.data.md5Checksum, md5(content));
	assert.equal((await put('bytes */600000')).data.id, last.data.id);
	assert.deepEqual(await bytes(last.data.id), content);
});

claim('a made id is good once', async () => {
	const { data } = await api.files.generateIds({ count: 3, space: 'drive' });
	assert.equal(new Set(data.ids).size, 3);
	const made = await create('with id', 'x', { id: data.ids[0] });
	assert.equal(made.data.id, data.ids[0]);
	await rejects(create('with id', 'x', { id: data.ids[0] }), 409, 'fileIdInUse');
	await rejects(create('with id', 'x', { id: 'NotOneOfThoseThatWereGivenOut1234' }), 400, 'invalid');
});

claim('ranges', async () => {
	const { data } = await create('range', '0123456789');
	assert.equal((await bytes(data.id, { Range: 'bytes=3-5' })).toString(), '345');
	assert.equal((await bytes(data.id, { Range: 'bytes=-2' })).toString(), '89');
	await assert.rejects(bytes(data.id, { Range: 'bytes=10-' }), (e) => e.response.status === 416);
});

claim('lists come in pages, by query and order', async () => {
	await Promise.all(Array.from({ length: 7 }, (_, i) => create(`page ${i}`, 'x')));
	const names = [];
	let pageToken, pages = 0;
	do {
		const { data } = await api.files.list({
			q: `'${folder}' in parents and name contains 'page' and trashed = false`, pageSize: 3, pageToken, orderBy: 'name desc',
			fields: 'nextPageToken,incompleteSearch,files(id,name)',
		});
		names.push(...data.files.map((f) => f.name));
		assert.equal(data.incompleteSearch, false);
		pageToken = data.nextPageToken;
		pages++;
	} while (pageToken);
	assert.equal(pages, 3);
	assert.deepEqual(names, [6, 5, 4, 3, 2, 1, 0].map((i) => `page ${i}`));
	await rejects(api.files.list({ q: 'name is what' }), 400, 'invalid');
	await rejects(api.files.list({ fields: 'files(nothing)' }), 400, 'invalidParameter');
	await rejects(api.files.list({ q: "'nowhere' in parents" }), 404, 'notFound');
});

claim('quotes are escaped, and = ignores case', async () => {
	await create("it's a \\ Name", 'x');
	const { data } = await api.files.list({ q: "name = 'IT\\'S A \\\\ NAME'" });
	assert.equal(data.files.length, 1);
});

claim('a changed content keeps the one before as a revision, until it is deleted', async () => {
	const { data: { id: fileId } } = await create('changed', 'first');
	await api.files.update({ fileId, media: { mimeType: 'text/plain', body: 'second' } });
	const { data: { revisions } } = await api.revisions.list({ fileId, fields: 'revisions(id,size,md5Checksum)' });
	assert.deepEqual(revisions.map((r) => r.size), ['5', '6']);
	const old = await api.revisions.get({ fileId, revisionId: revisions[0].id, alt: 'media' }, { responseType: 'text' });
	assert.equal(old.data, 'first');
	await api.revisions.delete({ fileId, revisionId: revisions[0].id });
	await rejects(api.revisions.get({ fileId, revisionId: revisions[0].id }), 404, 'notFound');
	await assert.rejects(api.revisions.delete({ fileId, revisionId: revisions[1].id }));
	assert.equal((await bytes(fileId)).toString(), 'second');
});

claim('changes since a token', async () => {
	const { data: { startPageToken } } = await api.changes.getStartPageToken();
	const { data: { id } } = await create('new', 'x');
	await api.files.delete({ fileId: id });
	const { data } = await api.changes.list({ pageToken: startPageToken });
	assert.ok(data.changes.some((c) => c.fileId === id && c.removed));
	assert.ok(data.newStartPageToken);
});

claim('permissions are given, listed, changed and taken away', async () => {
	const { data: { id: fileId } } = await create('shared', 'x');
	const { data } = await api.permissions.create({
		fileId, requestBody: { type: 'user', role: 'reader', emailAddress: 'bob@example.org' }, sendNotificationEmail: false });
	await api.permissions.update({ fileId, permissionId: data.id, requestBody: { role: 'writer' } });
	const list = await api.permissions.list({ fileId, fields: 'permissions(id,role,emailAddress)' });
	assert.equal(list.data.permissions.find((p) => p.emailAddress === 'bob@example.org').role, 'writer');
	await api.permissions.delete({ fileId, permissionId: data.id });
	await rejects(api.permissions.get({ fileId, permissionId: data.id }), 404, 'notFound');
});

claim('deleted is gone, trashed is not', async () => {
	const { data: { id: fileId } } = await create('doomed', 'x');
	await api.files.update({ fileId, requestBody: { trashed: true } });
	assert.equal((await api.files.get({ fileId, fields: 'trashed' })).data.trashed, true);
	await api.files.delete({ fileId });
	await rejects(api.files.get({ fileId }), 404, 'notFound');
	await rejects(api.files.delete({ fileId }), 404, 'notFound');
});

claim('a shared drive: only who says so sees it, only an organizer destroys', async () => {
	const { data: made } = await api.drives.create({ requestId: crypto.randomUUID(), requestBody: { name: 'team' } });
	const { data: { id: fileId } } = await create('member', 'x', {}, made.id);
	await rejects(api.files.get({ fileId }), 404, 'notFound');
	assert.equal((await api.files.get({ fileId, supportsAllDrives: true, fields: 'driveId' })).data.driveId, made.id);
	const all = { corpora: 'drive', driveId: made.id, includeItemsFromAllDrives: true, supportsAllDrives: true };
	assert.equal((await api.files.list(all)).data.files.length, 1);
	assert.equal((await api.files.list({ q: `'${made.id}' in parents` })).data.files.length, 0);
	const robot = drive({ version: 'v3', rootUrl: `${url}/`, auth: new auth.GoogleAuth({ keyFile, scopes: [SCOPE] }) });
	const { client_email: emailAddress } = JSON.parse(fs.readFileSync(keyFile));
	await rejects(robot.files.get({ fileId, supportsAllDrives: true }), 404, 'notFound');
	await api.permissions.create({ fileId: made.id, supportsAllDrives: true, requestBody: { type: 'user', role: 'writer', emailAddress } });
	assert.equal((await robot.files.get({ fileId, supportsAllDrives: true })).data.name, 'member');
	await rejects(robot.files.delete({ fileId, supportsAllDrives: true }), 403, 'insufficientFilePermissions');
	await api.files.delete({ fileId, supportsAllDrives: true });
	await api.drives.delete({ driveId: made.id });
});

claim('a service account has no room of its own', async () => {
	const robot = drive({ version: 'v3', rootUrl: `${url}/`, auth: new auth.GoogleAuth({ keyFile, scopes: [SCOPE] }) });
	await rejects(robot.files.create({ requestBody: { name: 'x' }, media: { body: 'x' } }), 403, 'storageQuotaExceeded');
});

claim('a refusal for a while is tried again by the client itself', async () => {
	await control('fault', { fault: '503', kind: 'files.get', times: 2 });
	assert.equal((await api.files.get({ fileId: folder })).data.name, 'npm');
	await control('clear', {});
});

claim('a revoked consent ends it', async () => {
	await client.revokeCredentials();
	client.setCredentials({ refresh_token: '1//none' });
	await assert.rejects(api.files.get({ fileId: folder }), /invalid_grant/);
});

(async () => {
	for (const { text, run } of claims) {
		console.log(`== ${text}`);
		await run();
	}
})().catch((e) => {
	console.error(e.stack ?? e, e.response?.data ?? '');
	process.exit(1);
});
