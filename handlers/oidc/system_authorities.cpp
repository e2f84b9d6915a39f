#include "handlers/oidc/system_authorities.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <system_error>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace handlers {

namespace {

std::string value_of(const char* variable, const char* otherwise)
{
    auto value = std::getenv(variable);
    return value ? value : otherwise;
}

/// The names under which OpenSSL finds a certificate by its subject: 8 hexadecimal digits, a dot, a number.
bool is_hash_name(std::string_view name)
{
    return name.size() > 9 && name[8] == '.' && name.find_first_not_of("0123456789abcdef") == 8 &&
           name.find_first_not_of("0123456789", 9) == name.npos;
}

} // namespace

void trust_system_authorities(SSL_CTX* context)
{
    auto store = SSL_CTX_get_cert_store(context);
    // Errors are left out, as by OpenSSL: an unknown authority fails the handshake.
    X509_STORE_load_file(store,
                         value_of(X509_get_default_cert_file_env(), X509_get_default_cert_file()).c_str());
    auto folders = value_of(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    for (std::size_t begin = 0; begin <= folders.size();) {
        auto end = std::min(folders.find(':', begin), folders.size());
        std::error_code error;
        for (std::filesystem::directory_iterator entry(folders.substr(begin, end - begin), error), last;
             !error && entry != last; entry.increment(error))
            if (is_hash_name(entry->path().filename().string()))
                X509_STORE_load_file(store, entry->path().c_str());
        begin = end + 1;
    }
    ERR_clear_error();
}

} // namespace handlers
