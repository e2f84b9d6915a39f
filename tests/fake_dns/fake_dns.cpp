// Preloaded into a server: a name server that a test can switch off. Names that end in ".test" are 127.0.0.1
// while the file FAKE_DNS exists; otherwise a lookup takes as long as it does without any answer, and fails.
#include <arpa/inet.h>
#include <unistd.h>

#include <cstdlib>
#include <dlfcn.h>
#include <netdb.h>
#include <string_view>

namespace {

/// As long as the system's resolver tries by default: two attempts of five seconds.
constexpr unsigned seconds_without_answer = 10;

using function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

function the_system()
{
    static const auto found = reinterpret_cast<function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    return found;
}

} // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** list)
{
    auto file = std::getenv("FAKE_DNS");
    if (!file || !name || !std::string_view(name).ends_with(".test"))
        return the_system()(name, service, hints, list);
    if (access(file, F_OK) == 0)
        return the_system()("127.0.0.1", service, hints, list);
    sleep(seconds_without_answer);
    return EAI_AGAIN;
}
