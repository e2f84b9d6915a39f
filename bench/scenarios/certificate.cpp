#include "bench/scenarios/certificate.hpp"

#include "bench/load/failure.hpp"
#include "bench/scenarios/shell.hpp"

namespace bench {

certificate_paths make_certificate(const std::filesystem::path& folder)
{
    certificate_paths out{(folder / "cert.pem").string(), (folder / "key.pem").string()};
    auto made = run_shell(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout " +
        shell_quoted(out.key) + " -out " + shell_quoted(out.certificate) + " 2>&1");
    if (made.status != 0)
        throw failure("openssl made no certificate: " + made.output);
    return out;
}

} // namespace bench
