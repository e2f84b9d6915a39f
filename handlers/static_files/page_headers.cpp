#include "handlers/static_files/page_headers.hpp"

namespace handlers {

namespace {

#define LATCHKEY_PAGE_POLICY                                                                                 \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "                  \
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "                             \
    "frame-ancestors 'none'"

constexpr std::string_view legacy_policy = LATCHKEY_PAGE_POLICY;
constexpr std::string_view page_policy =
    LATCHKEY_PAGE_POLICY "; require-trusted-types-for 'script'; trusted-types 'none'";
#undef LATCHKEY_PAGE_POLICY

void add_headers(reply& out, std::string_view content_security_policy)
{
    out.add_header("Content-Security-Policy", content_security_policy);
    out.add_header("Cross-Origin-Opener-Policy", "same-origin");
    out.add_header("Cross-Origin-Resource-Policy", "same-origin");
    out.add_header("Permissions-Policy",
                   "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), "
                   "geolocation=(), microphone=(), payment=(), usb=()");
    out.add_header("Referrer-Policy", "no-referrer");
}

} // namespace

void add_page_headers(reply& out)
{
    add_headers(out, page_policy);
}

void add_page_headers_for_legacy_scripts(reply& out)
{
    add_headers(out, legacy_policy);
}

} // namespace handlers
