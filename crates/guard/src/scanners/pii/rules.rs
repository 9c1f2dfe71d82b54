//! The kinds of personal data: names, severities, messages. Sorted by name.

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
            message: concat!($what, ". Redact it, or leave it out of what is sent and stored."),
        }),+];
    };
}

impl Id {
    pub(super) fn rule(self) -> &'static Rule {
        &ALL[self as usize]
    }
}

rules! {
    aba_routing_number Medium "The routing number of a bank in the USA";
    ar_cuit High "A tax number of Argentina (CUIT, CUIL)";
    au_abn Low "A business number of Australia (ABN)";
    au_acn Low "A company number of Australia (ACN)";
    au_medicare High "A Medicare number of Australia";
    au_tfn High "A tax file number of Australia";
    be_national_number High "A national number of Belgium";
    br_cnpj Low "A company number of Brazil (CNPJ)";
    br_cpf High "A tax number of Brazil (CPF)";
    ca_sin High "A social insurance number of Canada";
    ch_ahv High "A social security number of Switzerland (AHV, AVS)";
    cl_rut High "A national id of Chile (RUT)";
    cn_resident_id High "A resident id of China";
    credit_card High "A payment card number";
    crypto Medium "The address of a cryptocurrency wallet";
    date_of_birth Medium "A date of birth";
    de_health_insurance High "A health insurance number of Germany";
    de_id_card High "The number of an identity card of Germany";
    de_social_security High "A social security number of Germany";
    de_tax_id High "A tax id of Germany";
    de_vat_id Low "A VAT id of Germany";
    dk_cpr High "A personal number of Denmark (CPR)";
    email_address Medium "An e-mail address";
    es_nie High "A foreigner's id of Spain (NIE)";
    es_nif High "A national id of Spain (NIF)";
    fi_personal_identity_code High "A personal identity code of Finland";
    fr_nir High "A social security number of France (NIR)";
    iban_code High "A bank account number (IBAN)";
    in_aadhaar High "An Aadhaar number of India";
    in_gstin Low "A tax number of a business in India (GSTIN)";
    in_pan High "A permanent account number of India (PAN)";
    ip_address Low "An IP address";
    it_fiscal_code High "A fiscal code of Italy";
    it_vat_code Low "A VAT number of Italy";
    kr_brn Low "A business number of South Korea";
    kr_rrn High "A resident number of South Korea";
    mac_address Low "The hardware address of a network card";
    medical_license Medium "A DEA number: the licence of a prescriber in the USA";
    medical_record_number High "The number of a medical record";
    mx_curp High "A population registry code of Mexico (CURP)";
    nl_bsn High "A citizen service number of the Netherlands (BSN)";
    no_fodselsnummer High "A national id of Norway";
    phone_number Medium "A phone number";
    pl_pesel High "A national id of Poland (PESEL)";
    pt_nif High "A tax number of Portugal (NIF)";
    se_organisationsnummer Low "An organisation number of Sweden";
    se_personnummer High "A personal number of Sweden";
    sg_nric_fin High "A national id of Singapore (NRIC, FIN)";
    street_address Medium "A street address";
    th_tnin High "A national id of Thailand";
    tr_national_id High "A national id of Turkey";
    uk_nhs High "A patient number of the NHS of the United Kingdom";
    uk_nino High "A national insurance number of the United Kingdom";
    us_driver_license High "The number of a driver's licence of the USA";
    us_itin High "A taxpayer number of the USA (ITIN)";
    us_mbi High "A Medicare beneficiary id of the USA";
    us_npi Low "The number of a health care provider in the USA (NPI)";
    us_passport High "A passport number";
    us_ssn Critical "A social security number of the USA";
    za_id_number High "A national id of South Africa";
}
