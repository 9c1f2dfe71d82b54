//! Key formats that start with a literal of their own. Sources: the providers' documents, GitHub's list of
//! secret scanning patterns, and the published rules of gitleaks (MIT) and detect-secrets (Apache-2.0).

use super::checksum;
use super::published::published;
use super::random::{dummy, entropy, random};
use super::rules::Id;
use super::text::{
    ALNUM, ANY64, ANYHEX, AZURE, BASE64, CAPS, Class, DIGIT, DOTTED, HEX, PATH, URL64, URL64P, UUID, WORD,
};

/// A literal and what must follow.
pub(super) struct Format {
    pub(super) rule: Id,
    /// Upper and lower case count.
    pub(super) literal: &'static str,
    pub(super) body: &'static [Part],
    /// Looks at what follows the literal: how sure are we? `None`: it is no secret.
    pub(super) judge: fn(&[u8]) -> Option<f32>,
}

/// A run of bytes, and a literal after it.
pub(super) struct Part {
    pub(super) class: &'static Class,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) then: &'static str,
}

macro_rules! formats {
    ($($rule:ident $judge:ident: $literal:literal $($class:ident($min:literal, $max:literal) $($then:literal)?)+;)+) => {
        pub(super) static FORMATS: &[Format] = &[$(Format {
            rule: Id::$rule,
            literal: $literal,
            body: &[$(Part { class: &$class, min: $min, max: $max, then: concat!("" $(, $then)?) }),+],
            judge: $judge,
        }),+];
    };
}

/// The format alone says what it is.
fn format(body: &[u8]) -> Option<f32> {
    let varied = entropy(body) >= if body.len() >= 20 { 2.8 } else { 2.2 };
    (varied && !dummy(body)).then_some(0.9)
}

/// The literal is short or common: what follows must look random too.
fn noisy(body: &[u8]) -> Option<f32> {
    random(body, 16).then_some(0.8)
}

/// For development, but still a credential.
fn test_key(body: &[u8]) -> Option<f32> {
    format(body).map(|_| 0.8)
}

/// Ends in a checksum since 2021; older ones don't, so that a wrong one only costs confidence.
fn crc(body: &[u8]) -> Option<f32> {
    if checksum::base62_crc(body) { Some(0.99) } else { format(body).map(|_| 0.85) }
}

/// AWS ids are Base32.
fn aws(body: &[u8]) -> Option<f32> {
    let base32 = body.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'));
    let varied = entropy(body) >= 2.5 && !body.ends_with(b"EXAMPLE");
    (varied && !dummy(body)).then_some(if base32 { 0.95 } else { 0.8 })
}

/// Keys of OpenAI held `T3BlbkFJ` ("OpenAI" in Base64) for years; without it we look harder.
fn openai(body: &[u8]) -> Option<f32> {
    if body.windows(8).any(|window| window == b"T3BlbkFJ") {
        return (!dummy(body)).then_some(0.99);
    }
    (body.len() >= 32 && random(body, 32)).then_some(0.85)
}

/// Two bytes are a thin literal: all three kinds of characters must be there.
fn vault(body: &[u8]) -> Option<f32> {
    let has = |test: fn(&u8) -> bool| body.iter().any(test);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    (mixed && random(body, 24)).then_some(0.8)
}

/// Slack puts team and user numbers first.
fn slack(body: &[u8]) -> Option<f32> {
    let digits = body.iter().filter(|byte| byte.is_ascii_digit()).count();
    let parts = body.split(|&byte| byte == b'-').filter(|part| !part.is_empty());
    let random_part = parts.clone().any(|part| part.len() >= 10 && part.iter().any(u8::is_ascii_alphabetic));
    let numbers = parts.filter(|part| part.len() >= 8 && part.iter().all(u8::is_ascii_digit)).count();
    (digits >= 9 && random_part && (numbers > 0 || body.len() > 60) && format(body).is_some()).then_some(0.92)
}

/// The format is long and certain: only counting and repeating are left out.
fn long(body: &[u8]) -> Option<f32> {
    (!super::random::contains(body, b"xxxx") && entropy(body) >= 1.5).then_some(0.9)
}

/// The emulator has one for everybody.
fn account(body: &[u8]) -> Option<f32> {
    format(body).filter(|_| !published(body))
}

/// Lives in every web page that shows a map: worth a flag, seldom an alarm.
fn google(body: &[u8]) -> Option<f32> {
    (entropy(body) >= 3.5 && !dummy(body) && !published(body)).then_some(0.85)
}

/// At the end of a path.
fn webhook(body: &[u8]) -> Option<f32> {
    (body.iter().any(u8::is_ascii_digit) && !dummy(body) && entropy(body) >= 3.3).then_some(0.9)
}

formats! {
    adafruit_api_key format: "aio_" ALNUM(28, 28);
    age_secret_key long: "AGE-SECRET-KEY-1" CAPS(58, 58);
    airtable_token format: "pat" ALNUM(14, 14) "." HEX(64, 64);
    airtable_token format: "pat" ALNUM(14, 14) "\\." HEX(64, 64);
    alibaba_access_key noisy: "LTAI" ALNUM(12, 26);
    anthropic_api_key format: "sk-ant-api03-" URL64(60, 200);
    anthropic_api_key format: "sk-ant-admin01-" URL64(60, 200);
    anthropic_api_key format: "sk-ant-oat01-" URL64(60, 200);
    anthropic_api_key format: "sk-ant-ort01-" URL64(60, 200);
    anthropic_api_key format: "sk-ant-sid01-" URL64(60, 200);
    apify_api_token format: "apify_api_" ALNUM(34, 40);
    artifactory_token format: "AKCp" ALNUM(60, 75);
    artifactory_token noisy: "cmVmd" ALNUM(59, 59);
    atlassian_token format: "ATATT3" DOTTED(60, 300);
    atlassian_token format: "ATCTT3" DOTTED(60, 300);
    atlassian_token format: "ATBB" ALNUM(32, 32);
    atlassian_token format: "ATTA" ALNUM(64, 72);
    aws_access_key aws: "AKIA" CAPS(16, 16);
    aws_access_key aws: "ASIA" CAPS(16, 16);
    aws_access_key aws: "ABIA" CAPS(16, 16);
    aws_access_key aws: "ACCA" CAPS(16, 16);
    aws_access_key aws: "A3T" CAPS(17, 17);
    aws_bedrock_key long: "ABSK" BASE64(90, 300);
    aws_bedrock_key long: "bedrock-api-key-" ANY64(20, 2000);
    axiom_token format: "xaat-" UUID(36, 36);
    axiom_token format: "xapt-" UUID(36, 36);
    azure_storage_key account: "AccountKey=" BASE64(86, 88);
    azure_storage_key format: "SharedAccessKey=" BASE64(43, 44);
    buildkite_token format: "bkua_" HEX(40, 40);
    cerebras_api_key format: "csk-" ALNUM(44, 52);
    circleci_token format: "CCIPAT_" WORD(40, 80);
    circleci_token format: "CCIPRJ_" WORD(40, 80);
    clickhouse_key format: "4b1d" ALNUM(38, 38);
    clojars_token format: "CLOJARS_" ALNUM(60, 60);
    cloudflare_token format: "v1.0-" HEX(24, 24) "-" HEX(146, 146);
    contentful_token format: "CFPAT-" URL64(40, 50);
    crates_io_token noisy: "cio" ALNUM(32, 32);
    databricks_token format: "dapi" HEX(32, 32);
    databricks_token format: "dose" HEX(32, 32);
    databricks_token format: "doapi" HEX(32, 32);
    definednetworking_token format: "dnkey-" URL64P(60, 100);
    digitalocean_token format: "dop_v1_" HEX(64, 64);
    digitalocean_token format: "doo_v1_" HEX(64, 64);
    digitalocean_token format: "dor_v1_" HEX(64, 64);
    discord_webhook webhook: "discord.com/api/webhooks/" DIGIT(17, 20) "/" URL64(60, 72);
    discord_webhook webhook: "discordapp.com/api/webhooks/" DIGIT(17, 20) "/" URL64(60, 72);
    docker_token format: "dckr_pat_" URL64(27, 27);
    docker_token format: "dckr_oat_" URL64(32, 32);
    doppler_token format: "dp.pt." ALNUM(40, 44);
    doppler_token format: "dp.st." DOTTED(40, 80);
    doppler_token format: "dp.ct." ALNUM(40, 44);
    doppler_token format: "dp.sa." ALNUM(40, 44);
    doppler_token format: "dp.scim." ALNUM(40, 44);
    doppler_token format: "dp.audit." ALNUM(40, 44);
    duffel_token format: "duffel_live_" URL64P(43, 43);
    duffel_token test_key: "duffel_test_" URL64P(43, 43);
    dynatrace_token format: "dt0c01." ALNUM(24, 24) "." ALNUM(64, 64);
    dynatrace_token format: "dt0s16." ALNUM(24, 24) "." ALNUM(64, 64);
    e2b_api_key format: "e2b_" HEX(40, 40);
    easypost_token format: "EZAK" ALNUM(54, 54);
    easypost_token test_key: "EZTK" ALNUM(54, 54);
    elevenlabs_api_key format: "sk_" HEX(48, 48);
    facebook_token noisy: "EAAM" ALNUM(100, 300);
    facebook_token noisy: "EAAC" ALNUM(100, 300);
    facebook_token noisy: "EAAB" ALNUM(100, 300);
    figma_token format: "figd_" URL64(40, 50);
    figma_token format: "figu_" URL64(40, 50);
    firecrawl_api_key format: "fc-" HEX(32, 32);
    fireworks_api_key noisy: "fw_" ALNUM(22, 24);
    flutterwave_key format: "FLWSECK-" HEX(32, 32);
    flutterwave_key test_key: "FLWSECK_TEST-" ALNUM(12, 32);
    flutterwave_key test_key: "FLWPUBK_TEST-" ALNUM(32, 32);
    flutterwave_key format: "FLWPUBK-" HEX(32, 32);
    flyio_token format: "fo1_" URL64(43, 43);
    flyio_token format: "fm1r_" BASE64(90, 2000);
    flyio_token format: "fm1a_" BASE64(90, 2000);
    flyio_token format: "fm2_" BASE64(90, 2000);
    frameio_token format: "fio-u-" URL64P(64, 64);
    github_token crc: "ghp_" ALNUM(36, 36);
    github_token crc: "gho_" ALNUM(36, 36);
    github_token crc: "ghu_" ALNUM(36, 36);
    github_token crc: "ghs_" ALNUM(36, 36);
    github_token crc: "ghr_" ALNUM(36, 76);
    github_token format: "github_pat_" WORD(70, 90);
    gitlab_token format: "glpat-" DOTTED(20, 60);
    gitlab_token format: "gldt-" URL64(20, 50);
    gitlab_token format: "glrt-" DOTTED(20, 60);
    gitlab_token format: "glrtr-" URL64(20, 50);
    gitlab_token format: "glft-" URL64(20, 50);
    gitlab_token format: "glptt-" URL64(40, 40);
    gitlab_token format: "glcbt-" URL64(20, 60);
    gitlab_token format: "glsoat-" URL64(20, 60);
    gitlab_token format: "glimt-" URL64(25, 25);
    gitlab_token format: "glagent-" URL64(50, 60);
    gitlab_token format: "gloas-" URL64(64, 64);
    gitlab_token format: "glffct-" URL64(20, 50);
    gitlab_token format: "glwt-" URL64(20, 50);
    gitlab_token format: "GR1348941" URL64(20, 50);
    gitlab_token format: "_gitlab_session=" ALNUM(32, 32);
    google_api_key google: "AIza" URL64(35, 35);
    google_oauth format: "GOCSPX-" URL64(28, 28);
    google_oauth format: "ya29." URL64(30, 500);
    google_oauth noisy: "1//0" URL64(40, 120);
    grafana_token format: "glsa_" ALNUM(32, 32) "_" ANYHEX(8, 8);
    grafana_token format: "glc_" BASE64(32, 400);
    grafana_token noisy: "eyJrIjoi" BASE64(70, 400);
    groq_api_key format: "gsk_" ALNUM(40, 60);
    harness_token format: "pat." URL64(22, 22) "." ALNUM(24, 24) "." ALNUM(20, 20);
    harness_token format: "sat." URL64(22, 22) "." ALNUM(24, 24) "." ALNUM(20, 20);
    heroku_token format: "HRKU-" URL64(36, 60);
    honeycomb_key format: "hcaik_" ALNUM(58, 58);
    honeycomb_key format: "hcbik_" ALNUM(58, 58);
    hubspot_token format: "pat-na1-" UUID(36, 36);
    hubspot_token format: "pat-eu1-" UUID(36, 36);
    huggingface_token format: "hf_" ALNUM(34, 37);
    huggingface_token format: "api_org_" ALNUM(34, 34);
    infracost_token noisy: "ico-" ALNUM(32, 32);
    intra42_secret format: "s-s4t2ud-" HEX(64, 64);
    intra42_secret format: "s-s4t2af-" HEX(64, 64);
    jina_api_key format: "jina_" URL64(56, 70);
    langfuse_secret_key format: "sk-lf-" UUID(36, 36);
    langsmith_api_key format: "lsv2_pt_" HEX(32, 32) "_" HEX(10, 10);
    langsmith_api_key format: "lsv2_sk_" HEX(32, 32) "_" HEX(10, 10);
    langsmith_api_key format: "ls__" HEX(32, 32);
    linear_token format: "lin_api_" ALNUM(40, 48);
    linear_token format: "lin_oauth_" ALNUM(40, 64);
    lob_api_key format: "live_" HEX(35, 35);
    lob_api_key test_key: "test_" HEX(35, 35);
    lob_api_key test_key: "test_pub_" HEX(31, 31);
    lob_api_key format: "live_pub_" HEX(31, 31);
    logfire_token format: "pylf_v1_" ALNUM(2, 2) "_" ALNUM(43, 43);
    mailersend_token format: "mlsn." HEX(64, 64);
    mailgun_api_key format: "key-" HEX(32, 32);
    mailgun_api_key test_key: "pubkey-" HEX(32, 32);
    mapbox_token noisy: "pk." ALNUM(60, 110) "." ALNUM(22, 22);
    mapbox_token noisy: "sk." ALNUM(60, 110) "." ALNUM(22, 22);
    neon_api_key format: "napi_" ALNUM(60, 70);
    netlify_token format: "nfp_" ALNUM(36, 40);
    newrelic_key format: "NRAK-" ALNUM(27, 27);
    newrelic_key format: "NRJS-" HEX(19, 19);
    newrelic_key format: "NRII-" URL64(32, 32);
    newrelic_key format: "NRRA-" HEX(42, 42);
    notion_token format: "ntn_" DIGIT(10, 12) ALNUM(34, 36);
    npm_token crc: "npm_" ALNUM(36, 36);
    nuget_api_key noisy: "oy2" ALNUM(43, 43);
    nvidia_api_key format: "nvapi-" URL64(60, 70);
    octopusdeploy_api_key noisy: "API-" CAPS(25, 32);
    onepassword_token long: "ops_eyJ" URL64P(200, 2000);
    onepassword_token long: "A3-" CAPS(6, 6) "-" CAPS(11, 11) "-" CAPS(5, 5) "-" CAPS(5, 5) "-" CAPS(5, 5);
    onepassword_token long: "A3-" CAPS(6, 6) "-" CAPS(6, 6) "-" CAPS(5, 5) "-" CAPS(5, 5) "-" CAPS(5, 5) "-" CAPS(5, 5);
    openai_api_key openai: "sk-" ALNUM(32, 64);
    openai_api_key openai: "sk-proj-" URL64(32, 220);
    openai_api_key openai: "sk-svcacct-" URL64(32, 220);
    openai_api_key openai: "sk-admin-" URL64(32, 220);
    openai_api_key openai: "sk-None-" URL64(32, 220);
    openrouter_api_key format: "sk-or-v1-" HEX(64, 64);
    openshift_token format: "sha256~" DOTTED(40, 60);
    paypal_token format: "access_token$production$" ALNUM(16, 16) "$" HEX(32, 32);
    perplexity_api_key format: "pplx-" ALNUM(40, 56);
    pinecone_api_key format: "pcsk_" WORD(40, 90);
    planetscale_token format: "pscale_tkn_" DOTTED(32, 64);
    planetscale_token format: "pscale_pw_" DOTTED(32, 64);
    planetscale_token format: "pscale_oauth_" DOTTED(32, 64);
    posthog_key format: "phx_" WORD(40, 52);
    postman_api_key format: "PMAK-" HEX(24, 24) "-" HEX(34, 34);
    prefect_token format: "pnu_" ALNUM(36, 36);
    prefect_token format: "pnb_" ALNUM(36, 36);
    pulumi_token format: "pul-" HEX(40, 40);
    pypi_token format: "pypi-AgEIcHlwaS5vcmc" URL64(50, 1000);
    pypi_token format: "pypi-AgENdGVzdC5weXBpLm9yZ" URL64(50, 1000);
    razorpay_key format: "rzp_live_" ALNUM(14, 24);
    readme_token format: "rdme_" ALNUM(70, 70);
    render_api_key format: "rnd_" ALNUM(28, 32);
    replicate_token format: "r8_" URL64(37, 37);
    resend_api_key noisy: "re_" ALNUM(8, 8) "_" ALNUM(24, 24);
    rubygems_token format: "rubygems_" HEX(48, 48);
    scalingo_token format: "tk-us-" URL64(48, 48);
    sendgrid_api_key format: "SG." URL64(22, 22) "." URL64(43, 43);
    sendgrid_api_key noisy: "SG." DOTTED(66, 66);
    sendinblue_api_key format: "xkeysib-" HEX(64, 64) "-" ALNUM(16, 16);
    sendinblue_api_key format: "xsmtpsib-" HEX(64, 64) "-" ALNUM(16, 16);
    sentry_token format: "sntrys_eyJ" BASE64(60, 400);
    sentry_token format: "sntryu_" HEX(64, 64);
    settlemint_token format: "sm_aat_" ALNUM(16, 16);
    settlemint_token format: "sm_pat_" ALNUM(16, 16);
    settlemint_token format: "sm_sat_" ALNUM(16, 16);
    shippo_token format: "shippo_live_" HEX(40, 40);
    shippo_token test_key: "shippo_test_" HEX(40, 40);
    shopify_token format: "shpat_" ANYHEX(32, 32);
    shopify_token format: "shpca_" ANYHEX(32, 32);
    shopify_token format: "shppa_" ANYHEX(32, 32);
    shopify_token format: "shpss_" ANYHEX(32, 32);
    signalbox_key format: "sb-" ALNUM(43, 43);
    slack_token slack: "xoxb-" URL64(20, 120);
    slack_token slack: "xoxp-" URL64(20, 120);
    slack_token slack: "xoxa-" URL64(20, 120);
    slack_token slack: "xoxr-" URL64(20, 120);
    slack_token slack: "xoxs-" URL64(20, 120);
    slack_token slack: "xoxo-" URL64(20, 120);
    slack_token slack: "xoxc-" URL64(20, 120);
    slack_token format: "xoxd-" PATH(40, 400);
    slack_token format: "xoxe.xoxp-1-" URL64(100, 250);
    slack_token format: "xoxe.xoxb-1-" URL64(100, 250);
    slack_token format: "xoxe-1-" URL64(100, 250);
    slack_token format: "xapp-" URL64(40, 150);
    slack_webhook webhook: "hooks.slack.com/services/" PATH(40, 80);
    slack_webhook webhook: "hooks.slack.com/workflows/" PATH(40, 100);
    slack_webhook webhook: "hooks.slack.com/triggers/" PATH(40, 100);
    sonar_token format: "squ_" HEX(40, 40);
    sonar_token format: "sqp_" HEX(40, 40);
    sonar_token format: "sqa_" HEX(40, 40);
    sourcegraph_token format: "sgp_" ANYHEX(40, 40);
    sourcegraph_token format: "sgp_local_" ANYHEX(40, 40);
    sourcegraph_token format: "sgp_" ANYHEX(16, 16) "_" ANYHEX(40, 40);
    square_token format: "sq0atp-" URL64(22, 60);
    square_token format: "sq0csp-" AZURE(40, 60);
    square_token noisy: "EAAAE" URL64(55, 60);
    stripe_api_key format: "sk_live_" ALNUM(10, 120);
    stripe_api_key test_key: "sk_test_" ALNUM(10, 120);
    stripe_api_key format: "sk_prod_" ALNUM(10, 120);
    stripe_api_key format: "rk_live_" ALNUM(10, 120);
    stripe_api_key test_key: "rk_test_" ALNUM(10, 120);
    stripe_api_key format: "rk_prod_" ALNUM(10, 120);
    stripe_api_key format: "whsec_" BASE64(32, 80);
    supabase_token format: "sbp_" HEX(40, 40);
    supabase_token format: "sb_secret_" URL64(31, 48);
    tailscale_key format: "tskey-auth-" URL64(20, 80);
    tailscale_key format: "tskey-api-" URL64(20, 80);
    tailscale_key format: "tskey-client-" URL64(20, 80);
    tavily_api_key format: "tvly-" URL64(32, 50);
    teams_webhook webhook: "webhook.office.com/webhookb2/" PATH(80, 300);
    terraform_token format: ".atlasv1." URL64P(60, 70);
    together_api_key format: "tgp_v1_" URL64(43, 43);
    twilio_api_key format: "SK" HEX(32, 32);
    twitter_bearer_token noisy: "AAAAAAAAAAAAAAAAAAAAA" PATH(80, 120);
    typeform_token format: "tfp_" DOTTED(44, 70);
    vault_token format: "hvs." URL64(90, 120);
    vault_token format: "hvb." URL64(90, 300);
    vault_token format: "hvr." URL64(90, 300);
    vault_token vault: "s." ALNUM(24, 24);
    vercel_token format: "vcp_" ALNUM(56, 60);
    vercel_token format: "vck_" ALNUM(56, 60);
    xai_api_key format: "xai-" ALNUM(70, 90);
    yandex_token noisy: "AQVN" URL64(35, 38);
    yandex_token noisy: "YC" URL64(38, 38);
    yandex_token noisy: "t1." URL64(1, 300) "." URL64(86, 86);
    yandex_token noisy: "y0_" URL64(50, 60);
}
