//! The rules: names, severities, messages. Sorted by name.

use signalbox_types::Severity;

use crate::scanner::Rule;

macro_rules! rules {
    ($($name:ident $severity:ident $what:literal;)+) => {
        /// Names a rule; its number is its place in [`ALL`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(non_camel_case_types, reason = "these are the names that people write in policies")]
        pub(super) enum Id { $($name),+ }

        pub(super) static ALL: &[Rule] = &[$(Rule {
            name: stringify!($name),
            severity: Severity::$severity,
            message: concat!($what, ". Revoke it where it was issued and keep the new one out of prompts and answers."),
        }),+];
    };
}

impl Id {
    pub(super) fn rule(self) -> &'static Rule {
        &ALL[self as usize]
    }
}

rules! {
    adafruit_api_key High "An Adafruit IO key";
    age_secret_key Critical "An age private key";
    airtable_token High "An Airtable personal access token";
    alibaba_access_key High "An Alibaba Cloud access key id";
    anthropic_api_key Critical "An Anthropic API key";
    apify_api_token High "An Apify API token";
    artifactory_token High "A JFrog Artifactory token";
    atlassian_token High "An Atlassian API token";
    aws_access_key Critical "An AWS access key id";
    aws_bedrock_key Critical "An Amazon Bedrock API key";
    aws_secret_key Critical "An AWS secret access key";
    axiom_token High "An Axiom API token";
    azure_client_secret Critical "A Microsoft Entra client secret";
    azure_sas_token High "An Azure shared access signature";
    azure_storage_key Critical "An Azure account key";
    basic_auth_header High "A user name and password in a Basic authorization header";
    bearer_token High "A bearer token";
    buildkite_token High "A Buildkite token";
    cerebras_api_key High "A Cerebras API key";
    circleci_token High "A CircleCI token";
    clickhouse_key High "A ClickHouse Cloud key";
    clojars_token High "A Clojars deploy token";
    cloudflare_token High "A Cloudflare origin CA key";
    command_line_password High "A user name and password on a command line";
    contentful_token High "A Contentful token";
    crates_io_token Critical "A crates.io token";
    databricks_token Critical "A Databricks token";
    definednetworking_token High "A Defined Networking token";
    digitalocean_token Critical "A DigitalOcean token";
    discord_token High "A Discord bot token";
    discord_webhook Medium "A Discord webhook address";
    docker_token High "A Docker access token";
    doppler_token High "A Doppler token";
    duffel_token High "A Duffel token";
    dynatrace_token High "A Dynatrace token";
    e2b_api_key High "An E2B API key";
    easypost_token High "An EasyPost key";
    elevenlabs_api_key High "An ElevenLabs API key";
    facebook_token High "A Facebook access token";
    figma_token High "A Figma token";
    firecrawl_api_key High "A Firecrawl API key";
    fireworks_api_key High "A Fireworks AI API key";
    flutterwave_key High "A Flutterwave key";
    flyio_token High "A Fly.io token";
    frameio_token High "A Frame.io token";
    generic_api_key Medium "A value that looks like a key, token or secret, by the name it is assigned to";
    github_token Critical "A GitHub token";
    gitlab_token Critical "A GitLab token";
    google_api_key High "A Google API key";
    google_oauth High "A Google OAuth credential";
    grafana_token High "A Grafana token";
    groq_api_key High "A Groq API key";
    harness_token High "A Harness token";
    heroku_token High "A Heroku token";
    honeycomb_key High "A Honeycomb key";
    hubspot_token High "A HubSpot token";
    huggingface_token High "A Hugging Face token";
    infracost_token High "An Infracost token";
    intra42_secret High "An Intra 42 client secret";
    jina_api_key High "A Jina AI API key";
    jwt High "A JSON Web Token";
    langfuse_secret_key High "A Langfuse secret key";
    langsmith_api_key High "A LangSmith API key";
    linear_token High "A Linear token";
    lob_api_key High "A Lob API key";
    logfire_token High "A Logfire token";
    mailchimp_api_key High "A Mailchimp API key";
    mailersend_token High "A MailerSend token";
    mailgun_api_key High "A Mailgun key";
    mapbox_token High "A Mapbox token";
    neon_api_key High "A Neon API key";
    netlify_token High "A Netlify token";
    newrelic_key High "A New Relic key";
    notion_token High "A Notion token";
    npm_token Critical "An npm access token";
    nuget_api_key High "A NuGet API key";
    nvidia_api_key High "An NVIDIA API key";
    octopusdeploy_api_key High "An Octopus Deploy API key";
    onepassword_token Critical "A 1Password service account token or secret key";
    openai_api_key Critical "An OpenAI API key, or one of a provider that prints its keys alike";
    openrouter_api_key High "An OpenRouter API key";
    openshift_token High "An OpenShift user token";
    password_assignment Medium "A value that looks like a password, by the name it is assigned to";
    paypal_token High "A Braintree or PayPal access token";
    perplexity_api_key High "A Perplexity API key";
    pinecone_api_key High "A Pinecone API key";
    planetscale_token High "A PlanetScale credential";
    posthog_key High "A PostHog personal API key";
    postman_api_key High "A Postman API key";
    prefect_token High "A Prefect API key";
    private_key Critical "A private key";
    pulumi_token High "A Pulumi access token";
    pypi_token Critical "A PyPI upload token";
    razorpay_key Medium "A Razorpay key";
    readme_token High "A ReadMe API key";
    render_api_key High "A Render API key";
    replicate_token High "A Replicate token";
    resend_api_key High "A Resend API key";
    rubygems_token High "A RubyGems API key";
    scalingo_token High "A Scalingo token";
    sendgrid_api_key High "A SendGrid API key";
    sendinblue_api_key High "A Brevo (Sendinblue) API key";
    sentry_token High "A Sentry token";
    settlemint_token High "A SettleMint token";
    shippo_token High "A Shippo token";
    shopify_token High "A Shopify token";
    signalbox_key Critical "A virtual key of Signalbox";
    slack_token High "A Slack token";
    slack_webhook Medium "A Slack webhook address";
    sonar_token High "A SonarQube token";
    sourcegraph_token High "A Sourcegraph token";
    square_token High "A Square token";
    stripe_api_key Critical "A Stripe secret key";
    supabase_token High "A Supabase key";
    tailscale_key High "A Tailscale key";
    tavily_api_key High "A Tavily API key";
    teams_webhook Medium "A Microsoft Teams webhook address";
    telegram_token High "A Telegram bot token";
    terraform_token High "A HCP Terraform token";
    together_api_key High "A Together AI API key";
    twilio_api_key High "A Twilio API key";
    twitter_bearer_token High "An X (Twitter) bearer token";
    typeform_token High "A Typeform token";
    url_password High "A password in a URL or connection string";
    vault_token Critical "A HashiCorp Vault token";
    vercel_token High "A Vercel token";
    xai_api_key High "An xAI API key";
    yandex_token High "A Yandex Cloud credential";
}
